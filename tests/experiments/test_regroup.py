"""The regrouped data set: whole groups move, nothing is seen on both sides."""

from __future__ import annotations

from pathlib import Path

from experiments.regroup import new_splits, truth_style, write_links
from genimage_core.datasets import Record, scan_dataset


def record(generator: str, split: str, i: int, label: int = 1) -> Record:
    name = f"{generator}/{split}/{'ai' if label else 'nature'}/{i}.png"
    return Record(Path(name), name, generator, split, label)  # type: ignore[arg-type]


def test_groups_stay_together_and_known_generators_stay_put() -> None:
    records = [record("known", split, i) for split in ("train", "val") for i in range(4)]
    records += [record("fresh", "val", i) for i in range(60)]
    groups = {r.image_id: f"{r.generator}{int(r.path.stem) // 3}" for r in records}
    groups["fresh/val/ai/0.png"] = groups["known/val/ai/3.png"] = "shared by val"
    groups["fresh/val/ai/1.png"] = groups["known/train/ai/3.png"] = "shared by train"
    splits = dict(new_splits(records, groups, 0.5))
    assert all(splits[r] == r.split for r in records if r.generator == "known")
    sides: dict[str, set[str]] = {}
    for r, split in splits.items():
        sides.setdefault(groups[r.image_id], set()).add(split)
    assert sides["shared by val"] == {"val"}
    assert sides["shared by train"] == {"train"}
    assert all(len(s) == 1 for name, s in sides.items() if name.startswith("fresh"))
    assert {"train", "val"} == {split for r, split in splits.items() if r.generator == "fresh"}


def test_the_share_and_the_seed_decide() -> None:
    names = [str(i) for i in range(2000)]
    trained = [truth_style(n, 0.65) == "train" for n in names]
    assert 0.6 < sum(trained) / 2000 < 0.7
    assert trained != [truth_style(n, 0.65, seed=1) == "train" for n in names]
    assert trained == [truth_style(n, 0.65) == "train" for n in names]


def test_links_form_a_data_set(toy_dataset: Path, tmp_path: Path) -> None:
    records = scan_dataset(toy_dataset)
    out = tmp_path / "links"
    splits = [(r, "train") for r in records if r.split == "val"]
    write_links(splits, out)
    write_links(splits, out)
    found = scan_dataset(out)
    assert {r.split for r in found} == {"train"}
    assert len(found) == len(splits)
    assert found[0].path.read_bytes() == splits[0][0].path.read_bytes()
