"""Prints what Python's own parser finds that files import: paths on stdin, JSON on stdout; null for what it refuses."""

import ast
import json
import sys
import warnings


def is_type_checking(test):
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def literal_of(call):
    argument = call.args[0] if call.args else None
    return argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else None


def is_import_call(function):
    if isinstance(function, ast.Name):
        return function.id in ("__import__", "import_module")
    owner = getattr(function, "value", None)
    return getattr(function, "attr", "") == "import_module" and getattr(owner, "id", "") == "importlib"


def walk(node, typed, found):
    static = "type" if typed else "static"
    if isinstance(node, ast.Import):
        found += [[static, node.lineno, name.name] for name in node.names]
    elif isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        found += [[static, node.lineno, f"{module}:{name.name}"] for name in node.names]
    elif isinstance(node, ast.Call) and is_import_call(node.func) and literal_of(node):
        found.append(["type" if typed else "dynamic", node.lineno, literal_of(node)])
    if isinstance(node, ast.If):
        negated = isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not)
        asked = is_type_checking(node.test.operand if negated else node.test)
        chained = len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If)
        for child in node.body:
            walk(child, typed or (asked and not negated), found)
        for child in [node.test, *node.orelse]:
            walk(child, typed or (asked and negated and not chained and child is not node.test), found)
    else:
        for child in ast.iter_child_nodes(node):
            walk(child, typed, found)


warnings.simplefilter("ignore")
told = {}
for path in sys.stdin.read().splitlines():
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (SyntaxError, ValueError, RecursionError):
        told[path] = None
        continue
    told[path] = []
    walk(tree, False, told[path])
json.dump(told, sys.stdout)
