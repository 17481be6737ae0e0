"""What is known before anything is made: presets, classes, prompts, seeds, shards, metadata."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genimage_core.generation.build import Request, plan_of
from genimage_core.generation.classes import ImageClass, class_in, load_classes
from genimage_core.generation.plan import list_shots, parse_shard, seed_of, val_share
from genimage_core.generation.preset import list_presets, load_preset
from genimage_core.provenance.generation_settings import read_generation_settings
from genimage_core.utils.errors import GenerationError
from tests.helpers.build_sets import COMFY, workplace
from tests.helpers.metadata_files import PLACES
from tests.helpers.provenance_files import png


def test_every_preset_is_read_and_pinned_but_one() -> None:
    presets = {name: load_preset(name) for name in list_presets()}
    assert {"sd_v1_4", "sd_v1_5", "sdxl", "sd_v3_5_medium", "flux_schnell"} <= set(presets)
    for name, preset in presets.items():
        assert len(preset.revision) == (0 if name == "kandinsky_3" else 40), name
        assert "{class}" in preset.prompt
    with pytest.raises(GenerationError, match="sdxl"):
        load_preset("sd9")


def test_presets_name_schedulers_and_arguments_that_diffusers_has() -> None:
    diffusers = pytest.importorskip("diffusers", reason="diffusers is an extra")
    for name in list_presets():
        assert hasattr(diffusers, load_preset(name).scheduler), name


def test_imagenet_has_a_thousand_classes_with_ids() -> None:
    classes = load_classes("imagenet1k")
    assert len({one.id for one in classes}) == 1000
    assert classes[0] == ImageClass("n01440764", "tench")


def test_classes_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    path.write_text("n01440764\ttench, Tinca tinca\nRed fox\n# a note\n\n")
    assert load_classes(str(path)) == [ImageClass("n01440764", "tench"), ImageClass("red_fox", "Red fox")]
    path.write_text("fox\nFox\n")
    with pytest.raises(GenerationError, match="twice"):
        load_classes(str(path))
    with pytest.raises(GenerationError, match="cannot be read"):
        load_classes(str(tmp_path / "none.txt"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["n1", "whatever"], "n1"),
        (["great_white_shark"], "n1"),
        (["pictures", "12", "photo of a great white shark, sharp"], "n1"),
        (["photo of a shark"], "n2"),
        (["a shark and a tench"], None),
        (["a photo"], None),
    ],
)
def test_a_class_is_told_by_folder_name_or_prompt(words: list[str], told: str | None) -> None:
    classes = [ImageClass("n1", "great white shark"), ImageClass("n2", "shark"), ImageClass("n3", "tench")]
    found = class_in(words, classes)
    assert (found and found.id) == told


def test_seeds_follow_from_seed_class_and_index_alone() -> None:
    assert seed_of(1, "n1", 0) == seed_of(1, "n1", 0)
    several = {seed_of(s, c, i, a) for s in (1, 2) for c in ("n1", "n2") for i in (0, 1) for a in (0, 1)}
    assert len(several) == 16
    assert all(0 <= seed < 2**32 for seed in several)


def test_a_subset_of_classes_has_the_same_seeds(tmp_path: Path) -> None:
    workplace(tmp_path, 0)
    request = Request(
        tmp_path / "set", "g", tmp_path, str(tmp_path / "classes.txt"), 4, command="x {prompt} {path}"
    )
    plan, _ = plan_of(request)
    every = {(s.class_id, s.index): (s.seed, s.split) for s in list_shots(plan)}
    (tmp_path / "one.txt").write_text("n01443537 goldfish\n")
    fewer, _ = plan_of(
        Request(tmp_path, "g", tmp_path, str(tmp_path / "one.txt"), 4, command="x {prompt} {path}")
    )
    assert {(s.class_id, s.index): (s.seed, s.split) for s in list_shots(fewer)}.items() <= every.items()
    assert [split for _, split in every.values()].count("val") == 2


def test_shares_and_shards() -> None:
    assert [val_share(n) for n in (1, 2, 28, 168)] == [0, 1, 1, 6]
    assert parse_shard("2/3") == (2, 3)
    for wrong in ("0/3", "4/3", "2", "a/b", ""):
        with pytest.raises(GenerationError):
            parse_shard(wrong)


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (
            {"parameters": "a cat,\nblue\nSteps: 20, Sampler: Euler, Seed: 5, Model: xl"},
            ("a cat,\nblue", 5, "xl"),
        ),
        ({"prompt": COMFY}, ("a goldfish", 12, "flux.safetensors")),
        (
            {
                "invokeai_metadata": json.dumps(
                    {"positive_prompt": "a cat", "seed": 3, "model": {"name": "j"}}
                )
            },
            ("a cat", 3, "j"),
        ),
        (
            {"Software": "NovelAI", "Source": "V3", "Comment": json.dumps({"prompt": "a cat", "seed": 4})},
            ("a cat", 4, "V3"),
        ),
        (
            {"parameters": json.dumps({"sui_image_params": {"prompt": "a cat", "seed": 8, "model": "flux"}})},
            ("a cat", 8, "flux"),
        ),
        (
            {"Description": "a cat --seed 7 --v 6 Job ID: 01234567-0123-0123-0123-0123456789ab"},
            ("a cat", 7, "Midjourney 6"),
        ),
        ({"prompt": COMFY.replace('"2", 0', '"3", 0')}, ("", 12, "flux.safetensors")),  # links in a circle
        ({"Comment": "made with love"}, ("", None, "")),
    ],
)
def test_prompt_seed_and_model_are_read_from_metadata(
    texts: dict[str, str], told: tuple[str, int | None, str]
) -> None:
    found = read_generation_settings(png(**texts))
    assert (found.prompt, found.seed, found.model) == told


def test_no_bytes_break_the_reader() -> None:
    whole = png(parameters="a cat\nSteps: 20, Sampler: Euler, Seed: 5, Model: xl")
    for n in range(0, len(whole), 7):
        read_generation_settings(whole[:n])


@pytest.mark.parametrize("place", [place for place in PLACES if "stealth" not in place])
def test_settings_are_read_wherever_a_container_keeps_text(place: str) -> None:
    text = "a red fox\nNegative prompt: dogs\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 5, Model: xl"
    found = read_generation_settings(PLACES[place](text))
    assert (found.prompt, found.seed, found.model) == ("a red fox", 5, "xl")
