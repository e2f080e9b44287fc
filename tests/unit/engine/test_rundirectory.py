"""Run directories: nothing of a dead worker stays, and nothing is followed out of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from lithium_script.engine.rundirectory import OutputCollector, RunRoot, remove


def test_folders_of_killed_workers_are_swept_and_those_of_live_ones_kept(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom lithium_script.engine.rundirectory import RunRoot\n"
        "root = RunRoot(Path(sys.argv[1]), 'dead')\nroot.start()\n(root.path / 'left').mkdir()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], timeout=60)
    assert (tmp_path / "dead" / "left").is_dir()
    live, fresh = RunRoot(tmp_path, "live"), RunRoot(tmp_path, "fresh")
    live.start()
    fresh.start()
    assert sorted(os.listdir(tmp_path)) == ["fresh", "live"]
    live.close()
    fresh.close()
    assert os.listdir(tmp_path) == []


def test_removal_follows_no_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text("kept")
    inside = tmp_path / "inside"
    (inside / "locked").mkdir(parents=True)
    (inside / "locked" / "link").symlink_to(outside)
    (inside / "top").symlink_to(outside / "keep")
    (inside / "locked").chmod(0)
    remove(str(inside))
    assert not inside.exists()
    assert (outside / "keep").read_text() == "kept"


def test_tree_deeper_than_any_path_is_removed(tmp_path: Path) -> None:
    deep = tmp_path / "deep"
    deep.mkdir()
    fd = os.open(deep, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d" * 50, dir_fd=fd)
        inner = os.open("d" * 50, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    os.close(fd)
    remove(str(deep))
    assert not deep.exists()


def test_collection_is_capped_in_number_and_says_what_it_left_out(tmp_path: Path) -> None:
    collector = OutputCollector(str(tmp_path), ("*",), ())
    for number in range(300):
        (tmp_path / f"{number:03}").write_text("x")
    files, left_out = collector.collect()
    assert len(files) == 256
    assert "'256'" in left_out[0]


def test_sparse_file_above_the_cap_is_left_out(tmp_path: Path) -> None:
    collector = OutputCollector(str(tmp_path), ("*",), ())
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(1 << 40)
    files, left_out = collector.collect()
    assert files == ()
    assert "'sparse'" in left_out[0]


def test_double_star_matches_files_at_the_top_too(tmp_path: Path) -> None:
    collector = OutputCollector(str(tmp_path), ("**/*.png",), ())
    (tmp_path / "a.png").write_bytes(b"a")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.png").write_bytes(b"b")
    files, _ = collector.collect()
    assert [(file.path, file.mime_type) for file in files] == [("a.png", "image/png"), ("sub/b.png", "image/png")]
