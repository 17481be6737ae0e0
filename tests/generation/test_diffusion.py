"""Real diffusers pipelines, tiny and random: loading, sampling, seeds, and what cannot be loaded."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from genimage_core.generation.build import Request, build
from genimage_core.utils.errors import GenerationError
from tests.helpers.build_sets import workplace

pytest.importorskip("diffusers", reason="diffusers is an extra")
pytest.importorskip("transformers", reason="transformers is an extra")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.helpers.tiny_pipelines import flow_matching, stable_diffusion

    root = workplace(tmp_path_factory.mktemp("diffusion"))
    stable_diffusion(root / "tiny_sd")
    flow_matching(root / "tiny_flow")
    return root


def request(place: Path, generator: str, out: str, **more: object) -> Request:
    options: dict[str, object] = {
        "classes": str(place / "classes.txt"), "per_class": 2, "size": 32, "steps": 2, "device": "cpu",
    }  # fmt: skip
    return Request(place / out, str(place / generator), place / "real", **(options | more))  # type: ignore[arg-type]


def fakes(place: Path, out: str) -> pd.DataFrame:
    rows = pd.read_csv(place / out / "manifest.csv")
    return rows[rows["label"] == "ai"].reset_index(drop=True)


@pytest.mark.parametrize(
    ("generator", "scheduler"),
    [("tiny_sd", "PNDMScheduler"), ("tiny_flow", "FlowMatchEulerDiscreteScheduler")],
)
def test_a_pipeline_of_a_folder_makes_a_set(place: Path, generator: str, scheduler: str) -> None:
    assert build(request(place, generator, f"set_{generator}")) is not None
    rows = fakes(place, f"set_{generator}")
    assert set(rows["scheduler"]) == {scheduler}
    assert rows["revision"].str.startswith("sha256:").all()
    assert rows["versions"].str.contains("diffusers ").all()
    assert {Image.open(place / f"set_{generator}" / path).size for path in rows["path"]} == {(32, 32)}
    assert rows["sha256"].is_unique


def test_an_image_is_that_of_plain_diffusers_with_its_seed_and_any_batch(place: Path) -> None:
    from diffusers import StableDiffusionPipeline

    build(request(place, "tiny_sd", "again", batch=3))
    row = fakes(place, "again").iloc[0]
    pipe = StableDiffusionPipeline.from_pretrained(place / "tiny_sd")
    generator = torch.Generator().manual_seed(int(row["seed"]))
    (plain,) = pipe(row["prompt"], num_inference_steps=2, height=32, width=32, generator=generator).images
    made = np.asarray(Image.open(place / "again" / row["path"]), dtype=int)
    assert np.abs(made - np.asarray(plain, dtype=int)).max() <= 1


def test_another_scheduler_can_be_chosen_but_not_on_the_way(place: Path) -> None:
    build(request(place, "tiny_sd", "ddim", scheduler="DDIMScheduler", per_class=1))
    assert set(fakes(place, "ddim")["scheduler"]) == {"DDIMScheduler"}
    with pytest.raises(GenerationError, match="scheduler DDIMScheduler, not"):
        build(request(place, "tiny_sd", "ddim", per_class=1))


def test_changed_weights_are_another_revision(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "tiny_sd", tmp_path / "tiny_sd")
    own = request(place, str(tmp_path / "tiny_sd"), str(tmp_path / "set"), per_class=1)
    build(own)
    with (tmp_path / "tiny_sd" / "scheduler" / "scheduler_config.json").open("a") as file:
        file.write("\n")
    with pytest.raises(GenerationError, match="revision"):
        build(own)


def test_what_cannot_be_loaded_says_so(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "tiny_sd", tmp_path / "half")
    for path in (tmp_path / "half" / "unet").glob("*.safetensors"):
        path.unlink()
    with pytest.raises(GenerationError, match="cannot be loaded"):
        build(request(place, str(tmp_path / "half"), str(tmp_path / "set")))
    with pytest.raises(GenerationError, match="refuses these settings"):
        build(request(place, "tiny_sd", str(tmp_path / "odd"), size=33))
    with pytest.raises(GenerationError, match="cannot be loaded"):
        build(request(place, "tiny_sd", str(tmp_path / "other"), scheduler="NoSuchScheduler"))
