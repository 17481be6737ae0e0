"""The audit of a data set as charts: what the files give away, and what they are made of."""

import json

import streamlit as st
from pydantic import ValidationError

from genimage_core.datasets import Record
from genimage_core.datasets.audit.plots import format_chart, probe_chart
from genimage_core.datasets.audit.result import EVERY_FACT, POOLED, Audit
from genimage_core.utils.errors import GenImageError
from genimage_core.utils.paths import asset
from pages.components.shared.glossary import meaning
from pages.components.shared.layout import plain

LIMIT = 60
"""Most images of each class, generator and split in an audit made here: it takes seconds, not hours."""
CLASSES = {"ai": "AI-generated", "nature": "Real"}


def show(records: list[Record]) -> None:
    """Show the bundled audit, or one made of the folder that the visitor named."""
    found = _fresh(records) if records else _bundled()
    if found is None:
        return
    st.markdown(
        "A small classifier that sees **no picture**, only facts of the file, tries to tell AI images from "
        "real ones. If it can, a detector can learn that shortcut, too.",
        help=meaning("bias"),
    )
    split, generator = _choose(found)
    _probes(found, split, generator)
    _formats(found, split, generator)
    _flaws(found)
    with st.expander("Repeat it"):
        st.code(
            found.manifest.command or "python -m genimage_core audit DIR", language="bash", wrap_lines=True
        )
        st.caption(f"{found.manifest.n_files:,} files, data sha256 {found.manifest.data_sha256[:16]}")


def _bundled() -> Audit | None:
    path = asset("measured", "audit.json")
    try:
        found = Audit.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, ValidationError):
        st.info("No audit comes with this copy. Make one with `python -m genimage_core audit DIR`.")
        return None
    st.caption("Of the data set that the bundled detectors were trained and measured on.")
    return found


def _fresh(records: list[Record]) -> Audit | None:
    """Audit the named folder once it is asked for; the last audit of a visit is kept."""
    folder = st.session_state.get("data_folder", "")
    known = st.session_state.get("audit")
    if known is not None and known[0] == folder:
        return known[1]
    st.caption(f"{len(records):,} images; at most {LIMIT} of each class, generator and split are read.")
    if not st.button("Audit this data set", type="primary", icon=":material/troubleshoot:"):
        return None
    from genimage_core.datasets.audit.run import audit_dataset

    place = st.empty()

    def tell(task: str, done: int, total: int) -> None:
        place.progress(done / max(1, total), f"{task.capitalize()}: {done} of {total}")

    try:
        found = audit_dataset(
            folder,
            split="all",
            limit=LIMIT,
            command=f"python -m genimage_core audit DIR --split all --limit {LIMIT}",
            progress=tell,
        )
    except GenImageError as error:
        st.warning(f"{plain(error.message)} {plain(error.hint)}")
        return None
    place.empty()
    st.session_state["audit"] = (folder, found)
    return found


def _choose(found: Audit) -> tuple[str, str]:
    splits = sorted({probe.split for probe in found.probes}, reverse=True)
    generators = sorted({probe.generator for probe in found.probes} - {POOLED})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        split = st.segmented_control(
            "Split", splits, default=splits[0] if splits else None, required=True, key="audit_split",
            help=meaning("split"), bind="query-params",
        )  # fmt: skip
        generator = st.selectbox(
            "Generator", [POOLED, *generators], key="audit_generator", bind="query-params", width=260,
            format_func=lambda name: "All together" if name == POOLED else name,
        )  # fmt: skip
    return split or "val", generator or POOLED


def _probes(found: Audit, split: str, generator: str) -> None:
    series = {
        protocol: [
            p for p in found.probes if (p.protocol, p.split, p.generator) == (protocol, split, generator)
        ]
        for protocol in found.manifest.protocols
    }
    if not any(p.auroc is not None for probes in series.values() for p in probes):
        st.info("Too few images of both classes here to say anything.")
        return
    raw = found.probe("raw", split, generator)
    if raw is not None and raw.auroc is not None:
        st.markdown(
            f"From all facts of the files together: **AUROC {raw.auroc:.2f}** "
            f"({raw.low:.2f} to {raw.high:.2f}, n = {raw.n_fake} + {raw.n_real}), "
            "without a look at any picture.",
            help=meaning("AUROC"),
        )
    st.plotly_chart(
        probe_chart(series),
        config={"displayModeBar": False},
        alt=f"AUROC of guessing the class from facts of the file, by family of facts, {EVERY_FACT} first",
    )
    with st.expander("What the protocols do"):
        st.markdown("\n".join(f"- **{name}**: {words}" for name, words in found.manifest.protocols.items()))


def _formats(found: Audit, split: str, generator: str) -> None:
    chosen = [m for m in found.makeup if m.split == split and generator in (POOLED, m.generator)]
    st.markdown("**Formats of the two classes.** Alike is good: then the format tells nothing.")
    st.plotly_chart(
        format_chart(chosen, CLASSES),
        config={"displayModeBar": False},
        alt="Stacked bars: the share of each file format among AI images and among real ones",
    )


def _flaws(found: Audit) -> None:
    leaks = sum(c.across_splits for c in found.copies)
    conflicts = sum(c.across_labels for c in found.copies)
    cells = [
        (
            "Broken files",
            len(found.unreadable),
            "Files that cannot be read; they are left out of everything.",
        ),
        ("Copies", len(found.copies), "Groups of files that show the same picture."),
        ("Copies in both splits", leaks, "Pictures that a detector was trained and measured on."),
        (
            "Copies with both labels",
            conflicts,
            "Pictures that are called AI-generated and real: one is wrong.",
        ),
    ]
    with st.container(horizontal=True):
        for name, value, words in cells:
            st.metric(name, f"{value:,}", help=words, border=True)
