"""Maps over the picture: a planted patch lights up, and only it."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from genimage_core.detectors import Detector, build_network, list_detectors
from genimage_core.detectors.base import DetectorNet
from genimage_core.explain import explain
from genimage_core.explain.draw import grow
from genimage_core.explain.kinds.grad_cam import cam_target, grad_cam, private_copy, view_pulls
from genimage_core.explain.kinds.tile_map import tile_map, tile_starts
from tests.conftest import make_image
from tests.helpers.explain_nets import CELL, ChannelsFirst, ChannelsLast, Tokens, Undeclared, planted, tiny

NETS = [ChannelsFirst, ChannelsLast, Tokens, Undeclared]


def inside(values: np.ndarray, top: int, left: int) -> np.ndarray:
    return values[top : top + CELL, left : left + CELL]


@pytest.mark.parametrize("net", NETS)
def test_a_planted_patch_lights_up_in_grad_cam(net: type[DetectorNet]) -> None:
    found = grad_cam(planted(), tiny(net))
    assert found.pull.shape == (128, 128)
    place = np.unravel_index(np.nanargmax(found.pull), found.pull.shape)
    assert 64 <= place[0] < 80
    assert 16 <= place[1] < 32
    assert inside(found.pull, 64, 16).mean() > 0.5
    assert np.abs(found.pull[:48, 64:]).max() < 0.2


@pytest.mark.parametrize("net", NETS)
def test_it_moves_with_the_patch(net: type[DetectorNet]) -> None:
    found = grad_cam(planted(top=16, left=96), tiny(net))
    assert inside(found.pull, 16, 96).mean() > 0.5
    assert np.abs(inside(found.pull, 64, 16)).max() < 0.2


def test_the_shares_add_up_to_the_log_odds() -> None:
    detector = tiny(ChannelsFirst)
    view = torch.from_numpy(planted(64, 16, 32)).permute(2, 0, 1)[None].float() / 255
    pulls, _ = view_pulls(detector.net, view)
    with torch.no_grad():
        score = detector.net(view).item()
    assert pulls.sum() == pytest.approx(score + 1.0, rel=1e-4)  # -1 is the network's bias


def test_small_views_come_back_in_the_pictures_size() -> None:
    image = planted(64)[:40, :50]
    assert grad_cam(image, tiny(ChannelsFirst)).pull.shape == (40, 50)


def test_where_tiles_overlap_the_map_is_their_mean() -> None:
    detector = tiny(ChannelsFirst)
    image = planted(128, 16, 40)[:64, :96]  # tiles of 64 px from 0 and 32; the patch lies in both
    found = grad_cam(image, detector)
    views = torch.from_numpy(np.stack([image[:, :64], image[:, 32:]])).permute(0, 3, 1, 2).float() / 255
    pulls, _ = view_pulls(detector.net, views)
    first, second = (grow(p / np.abs(pulls).max(), 64, 64) for p in pulls)
    assert found.pull[:, :32] == pytest.approx(first[:, :32])
    assert found.pull[:, 32:64] == pytest.approx((first[:, 32:] + second[:, :32]) / 2)
    assert found.pull[:, 64:] == pytest.approx(second[:, 32:])
    assert inside(found.pull, 16, 40).mean() > 0.5


def test_the_network_is_left_as_it_was() -> None:
    detector = tiny(ChannelsFirst)
    before = {k: v.clone() for k, v in detector.net.state_dict().items()}
    grad_cam(planted(), detector)
    assert all(torch.equal(v, before[k]) for k, v in detector.net.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in detector.net.parameters())
    assert not detector.net.tap._forward_hooks


def test_a_private_copy_shares_the_weights_memory() -> None:
    net = tiny(ChannelsFirst).net
    copied = private_copy(net)
    assert copied.look is not net.look
    assert copied.look.weight.data_ptr() == net.look.weight.data_ptr()


def test_threads_do_not_disturb_each_other() -> None:
    detector, image = tiny(Tokens), planted()
    alone = grad_cam(image, detector).pull
    found: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: found.append(grad_cam(image, detector).pull)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for pull in found:
        np.testing.assert_array_equal(pull, alone)


@pytest.mark.parametrize("name", list_detectors())
def test_every_registered_detector_has_layers_to_read(name: str) -> None:
    net = build_network(name).eval()
    if name == "dinov2":  # its head starts at zero: without weights nothing pulls
        torch.nn.init.normal_(net.head.weight, generator=torch.Generator().manual_seed(0))
    for path in cam_target(net).paths:
        net.get_submodule(path)
    image = make_image(3, net.spec.tile)
    found = grad_cam(image, Detector(net, torch.device("cpu"), "untrained"))
    assert found.pull.shape == image.shape[:2]
    assert np.isfinite(found.pull).all()
    assert np.abs(found.pull).max() == pytest.approx(1.0, abs=0.35)
    assert found.pull.std() > 1e-3


def test_a_planted_patch_lights_up_in_the_tile_map() -> None:
    image = planted(256, 16, 224)
    found = tile_map(image, tiny(ChannelsFirst))
    high = found.scores > 0.5
    assert 0 < high.sum() <= 4
    assert all(t <= 16 and t + 64 >= 32 for t in np.array(found.tops)[high.any(1)])
    assert all(x <= 224 and x + 64 >= 240 for x in np.array(found.lefts)[high.any(0)])
    assert found.places.shape == (128, 128)
    assert found.places[8:16, 112:120].min() > 0.5
    assert found.places[64:, :64].max() < 0.5


def test_tiles_overlap_and_reach_the_edges() -> None:
    tops, lefts = tile_starts(256, 300, 64, 1000)
    assert tops[0] == lefts[0] == 0
    assert tops[-1] + 64 == 256
    assert lefts[-1] + 64 == 300
    assert max(np.diff(lefts)) <= 32


@pytest.mark.parametrize("most", [1, 5, 40])
def test_the_budget_holds(most: int) -> None:
    tops, lefts = tile_starts(3000, 4000, 128, most)
    assert 1 <= len(tops) * len(lefts) <= most


def test_places_between_distant_tiles_stay_open() -> None:
    found = tile_map(planted(1024), tiny(ChannelsFirst), pixel_budget=64 * 64 * 4)
    assert found.scores.shape == (2, 2)
    assert np.isnan(found.places).any()
    assert np.isfinite(found.places[0, 0])


def test_a_picture_smaller_than_a_tile_has_one_value() -> None:
    found = tile_map(planted(64)[:30, :20], tiny(ChannelsFirst))
    assert found.scores.shape == (1, 1)
    assert found.places.shape == (30, 20)
    assert found.tops[0] <= 0


@pytest.mark.parametrize("kind", ["tile_map", "grad_cam"])
def test_pictures_and_words_for_each_detector(kind: str) -> None:
    detectors = {"one": tiny(ChannelsFirst), "two": tiny(Tokens)}
    first, again = (explain(planted(), detectors, kind) for _ in range(2))
    assert set(first.images) == {"one", "two"}
    assert set(first.images) == set(first.alts)
    for key, picture in first.images.items():
        assert picture.dtype == np.uint8
        np.testing.assert_array_equal(picture, again.images[key])


def test_the_colours_of_the_tile_map_can_be_had_alone() -> None:
    found = explain(planted(), {"one": tiny(ChannelsFirst)}, "tile_map")
    layer, places = found.arrays["one/layer"], found.arrays["one"]
    assert layer.shape == (*places.shape, 4)
    likely, unlikely = places > 0.6, places < 0.4
    assert likely.any()
    assert unlikely.any()
    assert (layer[likely, 0] > layer[likely, 2]).all()  # orange
    assert (layer[unlikely, 2] > layer[unlikely, 0]).all()  # blue
