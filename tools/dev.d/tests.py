#!/usr/bin/python3
"""What tools/dev asks of a Meson build directory: which targets some suites need, which suites there are, and how the
last run went, counted in GoogleTest cases where a program reports them and in programs where it does not.

  tests.py targets DIR [SUITE]…          ninja targets of the tests in these suites (all when none is named)
  tests.py suites DIR [--without SUITE…] names of the suites
  tests.py summary DIR                   one row a test, then `N passed, N failed`; exit 1 on a failure or without a test
"""
import json
import pathlib
import sys


def read_json(path):
    return json.loads(pathlib.Path(path).read_text())


def suites_of(test):
    return {suite.split(":")[-1] for suite in test["suite"]}


def print_targets(build, suites):
    tests = read_json(build / "meson-info/intro-tests.json")
    files = {t["id"]: t["filename"] for t in read_json(build / "meson-info/intro-targets.json")}
    wanted = set()
    for test in tests:
        if suites and not suites_of(test) & set(suites):
            continue
        for target in test["depends"]:
            wanted.update(files.get(target, []))
    for path in sorted(wanted):
        print(pathlib.Path(path).relative_to(build.resolve()))


def print_suites(build, without):
    names = set()
    for test in read_json(build / "meson-info/intro-tests.json"):
        names |= suites_of(test)
    print("\n".join(sorted(names - set(without))))


def cases_of(build, program):
    """(passed, failed) over the reports that `program` left in DIR/gtest, or None without one."""
    reports = [p for p in (build / "gtest").glob(program + "*.json")
               if p.stem == program or p.stem[len(program):].lstrip("_").isdigit()]
    if not reports:
        return None
    passed = failed = 0
    for report in reports:
        try:
            result = read_json(report)
        except ValueError:  # the program died while it wrote
            failed += 1
            continue
        bad = result["failures"] + result.get("errors", 0)
        failed += bad
        passed += result["tests"] - bad - result["disabled"]
    return passed, failed


def summary(build):
    log = build / "meson-logs/testlog.json"
    rows, counted, passed, failed = [], set(), 0, 0
    for line in log.read_text().splitlines() if log.exists() else []:
        test = json.loads(line)
        program = pathlib.Path(test["command"][0]).name
        good = test["result"] in ("OK", "EXPECTEDFAIL")
        cases = None if program in counted else cases_of(build, program)
        counted.add(program)
        if cases is None:
            cases = (1, 0) if good else (0, 1)
        elif not good and cases[1] == 0:  # died, or failed outside every case
            cases = (cases[0], 1)
        rows.append((test["name"].split(" / ")[-1], cases, test["duration"], test["result"]))
        passed += cases[0]
        failed += cases[1]
    print()
    for name, cases, seconds, result in rows:
        print(f"  {name:<24} {cases[0]:>6} passed {cases[1]:>4} failed {seconds:>8.1f} s  {'' if result == 'OK' else result}")
    print(f"{passed} passed, {failed} failed", flush=True)
    return 0 if passed > 0 and failed == 0 else 1


def main(arguments):
    if len(arguments) < 2 or arguments[0] not in ("targets", "suites", "summary"):
        sys.exit(__doc__)
    build = pathlib.Path(arguments[1])
    if arguments[0] == "targets":
        print_targets(build, arguments[2:])
    elif arguments[0] == "suites":
        print_suites(build, arguments[3:])
    else:
        sys.exit(summary(build))


if __name__ == '__main__':
    main(sys.argv[1:])
