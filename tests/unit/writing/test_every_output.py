"""Every file of the package goes through the atomic writers, but for those named."""

import ast
from pathlib import Path

import trimpot

SOURCE = Path(trimpot.__file__).parent

EXEMPT = {
    "writing/atomic.py": "the atomic writers themselves",
    "writing/folders.py": "makes folders and locks",
    "engines/md_outputs.py": "grows by whole pieces; a run that goes on cuts the rest off",
    "benchmarks/lammps.py": "inputs of LAMMPS in a temporary folder",
    "engines/lammps/calculator.py": "inputs of LAMMPS in a temporary folder",
    "engines/lammps/stages.py": "a folder that gets its name when all is in it",
    "files/lammps_data.py": "a table in memory",
    "verbs/kept_parts.py": "an archive in memory, for the atomic writer",
    "benchmarks/states.py": "arrays for a worker in a temporary folder",
    "benchmarks/memory.py": "asks the system to count anew",
}
ALWAYS = {"write_text", "write_bytes", "mkdir", "touch", "to_csv", "tofile"}
OF_MODULES = {"save", "savez", "savez_compressed", "savetxt", "dump"}
OF_MODULES |= {"copy", "copyfile", "copy2", "copytree", "move"}
MODULES = {"np", "numpy", "json", "pickle", "shutil", "yaml", "pd"}
"""Whose ``save``, ``dump``, ... write; on other things these are methods of their own."""


def opens_to_write(call):
    """Whether a call is open(..., "w") or path.open("w"), or may be one."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id
    if name != "open":
        return False
    given = [*call.args, *(k.value for k in call.keywords if k.arg == "mode")]
    texts = [a.value for a in given if isinstance(a, ast.Constant)]
    return any(set(t) & set("wax+") for t in texts if isinstance(t, str) and len(t) < 4)


def writes(call):
    if not isinstance(call.func, ast.Attribute):
        return isinstance(call.func, ast.Name) and opens_to_write(call)
    owner = call.func.value
    module = owner.id if isinstance(owner, ast.Name) else ""
    if call.func.attr in ALWAYS:
        return True
    if call.func.attr == "savefig":
        first = call.args[0]
        return not (isinstance(first, ast.Name) and first.id in {"buffer", "drawn"})
    return (call.func.attr in OF_MODULES and module in MODULES) or opens_to_write(call)


def found_in(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [call.lineno for call in calls if writes(call)]


def test_nothing_writes_to_a_file_directly():
    names = {p.relative_to(SOURCE).as_posix(): p for p in SOURCE.rglob("*.py")}
    direct = {name: lines for name, p in names.items() if (lines := found_in(p))}
    beside = {name: lines for name, lines in direct.items() if name not in EXEMPT}
    assert beside == {}, "use trimpot.writing: write_text, write_bytes, make_folder, save"
    assert set(EXEMPT) <= set(direct), "an exemption that nothing needs"
