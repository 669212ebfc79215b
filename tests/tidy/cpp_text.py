"""C++ as text, as far as the tidy rules need it: comments and literals blanked out, includes, lengths of functions.

Not a parser: it knows strings, comments, preprocessor lines and braces. Line numbers are kept by every step.
"""
import re

TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.S)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?P<path>"[^"]+"|<[^>]+>)', re.M)
DIRECTIVE = re.compile(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.M)
SCOPE = re.compile(r'\b(?:namespace|class|struct|union|enum)\b')


def blank(text):
    """The text with everything but line ends turned to spaces."""
    return re.sub(r'[^\n]', ' ', text)


def without_comments(text):
    """Comments blanked out, literals kept."""
    return TOKEN.sub(lambda m: blank(m[0]) if m[0].startswith(('//', '/*')) else m[0], text)


def code_only(text):
    """Comments and the inside of literals blanked out."""
    def strip(match):
        token = match[0]
        return blank(token) if token.startswith(('//', '/*')) else token[0] + blank(token[1:-1]) + token[-1]
    return TOKEN.sub(strip, text)


def includes(text):
    """[(line, path, is_quoted)]"""
    return [(text.count('\n', 0, m.start('path')) + 1, m['path'][1:-1], m['path'][0] == '"')
            for m in INCLUDE.finditer(without_comments(text))]


def outside_parentheses(head):
    """What of a declaration's head stands outside of (), and whether there were any."""
    kept, depth, seen = [], 0, False
    for char in head:
        if char == '(':
            depth += 1
            seen = True
        elif char == ')':
            depth = max(0, depth - 1)
        elif depth == 0:
            kept.append(char)
    return ''.join(kept), seen


def opens_function(head):
    """Whether the brace after `head`, at namespace or class scope, opens a function (or a lambda kept in a constant)."""
    plain, has_parameters = outside_parentheses(head)
    if re.search(r'\[[^\[\]]*\]\s*(?:<.*>)?\s*(?:mutable|noexcept|->.*)?\s*$', plain, re.S) and '=' in plain:
        return True
    assigned = re.sub(r'operator\s*(?:[=!<>+\-*/%&|^]=|<=>|=)|[<>=!]=|template\s*<.*?>(?=\s*[\w:\[])', ' ', plain, flags=re.S)
    return has_parameters and '=' not in assigned


def functions(text):
    """[(first line, lines, head)] of every function body at namespace or class scope, nested ones within their outer."""
    code = DIRECTIVE.sub(lambda m: blank(m[0]), code_only(text))
    found, stack = [], []  # stack of 'scope' | 'other' | (start of head, head)
    start, depth = 0, 0    # of the current head; depth of () since it began
    for at, char in enumerate(code):
        inside = any(entry != 'scope' for entry in stack)
        if char == '{':
            head = code[start:at]
            if inside or depth > 0:
                stack.append('other')
            elif SCOPE.search(outside_parentheses(re.sub(r'template\s*<[^{]*?>', ' ', head))[0]) and not opens_function(
                    re.sub(r'\b(?:class|struct|enum)\s+\w+\s*', '', head)):
                stack.append('scope')
                start, depth = at + 1, 0
            elif opens_function(head):
                stack.append((start, head))
            elif not head.strip() or re.search(r'\bextern\s*$', head.replace('"', ' ').rstrip()):
                stack.append('scope')
                start, depth = at + 1, 0
            else:
                stack.append('other')
        elif char == '}' and stack:
            entry = stack.pop()
            rest = code[at + 1:].lstrip()
            if isinstance(entry, tuple):
                if rest[:1] in ('{', ',') or rest.startswith('catch'):  # `: a_{1} {` or `try { } catch`: the body is yet to come
                    stack_head = entry
                    start = stack_head[0]
                    continue
                begin = entry[0] + len(code[entry[0]:]) - len(code[entry[0]:].lstrip())
                first = code.count('\n', 0, begin) + 1
                last = code.count('\n', 0, at) + 1
                found.append((first, last - first + 1, ' '.join(entry[1].split())))
                start, depth = at + 1, 0
            elif entry == 'scope':
                start, depth = at + 1, 0
        elif not inside:
            if char == '(':
                depth += 1
            elif char == ')':
                depth = max(0, depth - 1)
            elif char == ';' and depth == 0:
                start = at + 1
            elif char == ':' and re.search(r'\b(?:public|private|protected)\s*$', code[start:at]):
                start = at + 1
    return found
