"""The rules that a program checks. Each takes a Tree and yields Violations; RULES at the end is the whole list."""
import dataclasses
import os
import pathlib
import re

import cpp_text

MAY_INCLUDE = {  # docs/architecture.md, layers
    'core': set(),
    'lattice': {'core'},
    'delta': {'core', 'lattice'},
    'net': {'core'},
    'overlay': {'core'},
    'dataflow': {'core', 'lattice', 'delta'},
}
ENGINE = set(MAY_INCLUDE)
ALL_FOLDERS = ENGINE | {'tools'}
SKIPPED = {'build', 'node_modules', '__pycache__', 'subprojects'}
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70

# Types of these libraries stay in the .cpp files that call them.
HEAVY = re.compile(r'^(capnp/|kj/|boost/(json|asio|beast)|CLI/|spdlog/|prometheus/|openssl/|rocksdb/|toml\+\+/|rte_)')
CONTROL_PLANE = {'tools/rpc', 'tools/http'}

FORBIDDEN_EVERYWHERE = [
    (re.compile(r'#\s*include\s*<(ranges|format|print)>'), 'header that this code base does without'),
    (re.compile(r'\bstd::(format|print|println)\b'), 'not in this standard library: use fmt in tools/'),
    (re.compile(r'\bGTEST_SKIP\b|\bDISABLED_\w+'), 'a test runs or does not exist'),
    (re.compile(r'\busing\s+namespace\s+std\b'), 'names are written out'),
    (re.compile(r'\bstd::(rand|srand|random_device|mt19937(_64)?)\b'), 'random numbers come from core::Rng with a printed seed'),
]
FORBIDDEN_IN_ENGINE = [
    (re.compile(r'\b(std::)?shared_ptr\b'), 'one owner: unique_ptr, a member, or a value'),
    (re.compile(r'\bthread_local\b'), 'the current shard is an argument'),
    (re.compile(r'(?<!std::)\b[mM]erge\w*\b'), 'the word is join'),
]
MACHINES = {'lattice', 'delta', 'overlay', 'dataflow'}
FORBIDDEN_IN_MACHINES = [
    (re.compile(r'\b(monotonic_now|wall_clock_ms|clock_gettime|gettimeofday)\b|\bstd::chrono\b'), 'time is handed in as `now`'),
    (re.compile(r'\bentropy_seed\b'), 'the random generator is a member seeded by the owner'),
    (re.compile(r'\bstd::(thread|jthread|mutex|condition_variable|async)\b'), 'machines have no threads'),
    (re.compile(r'#\s*include\s*<(sys/socket|netinet/\w+|arpa/inet|sys/epoll)\.h>'), 'machines have no sockets'),
]
COMMENT_WORDS = re.compile(r'\b(TODO|FIXME|XXX|HACK)\b')


@dataclasses.dataclass(frozen=True)
class Violation:
    rule: str
    path: str
    line: int
    text: str

    def __str__(self):
        return f'{self.path}:{self.line}: {self.rule}: {self.text}'


class Tree:
    """The files below `root`, read once; paths are relative, with forward slashes."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.paths = []
        for folder, below, names in os.walk(self.root):
            below[:] = sorted(d for d in below if d not in SKIPPED and not d.startswith('.'))
            relative = pathlib.PurePath(folder).relative_to(self.root)
            self.paths += [(relative / name).as_posix() for name in sorted(names)]
        self.known = set(self.paths)
        self.texts = {}

    def text(self, path):
        if path not in self.texts:
            self.texts[path] = (self.root / path).read_text(errors='replace')
        return self.texts[path]

    def cpp(self):
        return [p for p in self.paths if p.endswith(('.hpp', '.cpp', '.h', '.cc'))]

    def sources(self):
        return [p for p in self.paths if p.endswith(('.hpp', '.cpp', '.h', '.cc', '.py', '.sh', '.capnp', '.ts', '.lua', '.js'))]

    def resolves(self, include):
        return include in self.known or (include.endswith('.capnp.h') and include[:-2] in self.known)


def top(path):
    return path.split('/')[0] if '/' in path else ''


def include_direction(tree):
    for path in tree.cpp():
        if top(path) not in ALL_FOLDERS:
            continue
        for line, target, quoted in cpp_text.includes(tree.text(path)):
            if not quoted:
                if top(target) in ALL_FOLDERS and tree.resolves(target):
                    yield Violation('include-direction', path, line, f'<{target}> is ours: write it with quotes')
            elif top(target) in ('tests', 'bench'):
                yield Violation('include-direction', path, line, f'the product includes {target}')
            elif top(path) in ENGINE and top(target) in ALL_FOLDERS:
                if top(target) != top(path) and top(target) not in MAY_INCLUDE[top(path)]:
                    yield Violation('include-direction', path, line, f'{top(path)}/ may not include {target}')


def include_from_root(tree):
    for path in tree.cpp():
        for line, target, quoted in cpp_text.includes(tree.text(path)):
            if quoted and not tree.resolves(target):
                yield Violation('include-from-root', path, line, f'"{target}" is not a file seen from the root')


def own_header_first(tree):
    for path in tree.cpp():
        header = path.removesuffix('.cpp') + '.hpp'
        if path.endswith('.cpp') and header in tree.known:
            found = cpp_text.includes(tree.text(path))
            if not found or found[0][1] != header:
                yield Violation('own-header-first', path, found[0][0] if found else 1, f'include "{header}" first')


def include_cycle(tree):
    graph = include_graph(tree)
    state = {}

    def visit(path, trail):
        state[path] = 'open'
        for target in graph.get(path, []):
            if state.get(target) == 'open':
                cycle = trail[trail.index(target):] + [target]
                yield Violation('include-cycle', path, 1, ' -> '.join(cycle))
            elif target not in state:
                yield from visit(target, trail + [target])
        state[path] = 'done'

    for path in sorted(graph):
        if path not in state:
            yield from visit(path, [path])


def pragma_once(tree):
    for path in tree.cpp():
        if path.endswith('.hpp') and not re.search(r'^#pragma once$', tree.text(path), re.M):
            yield Violation('pragma-once', path, 1, 'a header says #pragma once')


def heavy_header(tree):
    """Engine headers show nothing of heavy libraries. In tools/, a header may that no header of another folder reaches;
    the folders of the control plane, which all live on KJ's event loop, count as one."""
    graph = include_graph(tree)
    for path in tree.cpp():
        if not path.endswith('.hpp') or top(path) not in ALL_FOLDERS:
            continue
        own = path.rsplit('/', 1)[0]
        own = CONTROL_PLANE if own in CONTROL_PLANE else {own}
        leaks = sorted(p for p in reaching(graph, path) if p.endswith('.hpp') and p.rsplit('/', 1)[0] not in own)
        for line, target, _ in cpp_text.includes(tree.text(path)):
            if HEAVY.match(target) or target.endswith('.capnp.h'):
                if top(path) in ENGINE:
                    yield Violation('heavy-header', path, line, f'{target} belongs in a .cpp')
                elif leaks:
                    yield Violation('heavy-header', path, line, f'{target} belongs in a .cpp: it reaches {leaks[0]}')


def include_graph(tree):
    return {p: [t for _, t, quoted in cpp_text.includes(tree.text(p)) if quoted and t in tree.known] for p in tree.cpp()}


def reaching(graph, header):
    """Every file from which `header` is included, directly or not."""
    found, grown = set(), True
    while grown:
        more = {p for p, targets in graph.items() if header in targets or found.intersection(targets)} - found
        grown = bool(more)
        found |= more
    return found


def file_length(tree):
    for path in tree.sources():
        lines = tree.text(path).count('\n')
        if lines > FILE_LINES_MAX:
            yield Violation('file-length', path, lines, f'{lines} lines, at most {FILE_LINES_MAX}')


def function_length(tree):
    for path in tree.cpp():
        for first, lines, head in cpp_text.functions(tree.text(path)):
            if lines > FUNCTION_LINES_MAX:
                yield Violation('function-length', path, first, f'{lines} lines, at most {FUNCTION_LINES_MAX}: {head[:60]}')


def source_is_built(tree):
    built = set()
    for path in tree.paths:
        if path.rsplit('/', 1)[-1] == 'meson.build':
            folder = path.removesuffix('meson.build')
            text = re.sub(r'#[^\n]*', '', tree.text(path))
            for name in re.findall(r"'([\w./-]+\.(?:cpp|cc))'", text):
                built.add(os.path.normpath(folder + name))
    for path in tree.cpp():
        if path.endswith(('.cpp', '.cc')) and path not in built:
            yield Violation('source-is-built', path, 1, 'no meson.build names it')


def forbidden_words(tree):
    for path in tree.cpp():
        code = cpp_text.code_only(tree.text(path))
        folder = top(path)
        words = list(FORBIDDEN_EVERYWHERE)
        if folder in ENGINE:
            words += FORBIDDEN_IN_ENGINE
        if folder in MACHINES:
            words += FORBIDDEN_IN_MACHINES
        for number, line in enumerate(code.split('\n'), 1):
            for pattern, why in words:
                match = pattern.search(line)
                if match:
                    yield Violation('forbidden-word', path, number, f'{match[0].strip()}: {why}')
        for number, line in enumerate(tree.text(path).split('\n'), 1):
            if COMMENT_WORDS.search(line):
                yield Violation('forbidden-word', path, number, 'finish it or write an issue')


def architecture_paths(tree):
    """Each path that docs/architecture.md names in backticks exists, and it names each top-level folder as `folder/`."""
    page = 'docs/architecture.md'
    if page not in tree.known:
        yield Violation('architecture', page, 1, 'missing')
        return
    folders = {top(p) for p in tree.paths if '/' in p}
    text = tree.text(page)
    for number, line in enumerate(text.split('\n'), 1):
        for name in re.findall(r'`([\w.-]+/[\w./-]*|[\w-]+\.(?:hpp|cpp|capnp|md))`', line):
            if top(name) == 'build':
                continue
            if not (tree.root / name).exists():
                yield Violation('architecture', page, number, f'{name} does not exist')
    for folder in sorted(folders):
        if f'`{folder}/`' not in text:
            yield Violation('architecture', page, 1, f'does not say what `{folder}/` is')


RULES = [include_direction, include_from_root, own_header_first, include_cycle, pragma_once, heavy_header, file_length,
         function_length, source_is_built, forbidden_words, architecture_paths]


def check(root):
    tree = Tree(root)
    return sorted((v for rule in RULES for v in rule(tree)), key=lambda v: (v.rule, v.path, v.line, v.text))
