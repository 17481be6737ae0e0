"""The demo's page: three tabs, each with one public endpoint (`/detect`, `/degrade`, `/tables`)."""

from __future__ import annotations

from typing import Any

import gradio as gr

from genimage_core.datasets.samples import list_samples
from genimage_core.detectors import detector_info, list_detectors
from genimage_core.images.degradations import PAPER_SUITE
from genimage_core.results.plots_paper import table_figure
from genimage_core.results.published import list_tables, load_table
from gradio_demo import endpoints, html

MAX_UPLOAD = "30mb"
FORGET_AFTER = 600
"""Seconds after which an upload is deleted."""
LEAD = (
    "# GenImage Lab\nSeveral detectors, each with its own answer, and an honest *unsure*. A score is "
    "evidence, not proof. Pictures are deleted within "
    f"{2 * FORGET_AFTER // 60} minutes and used for nothing else."
)
# System fonts: Gradio's own themes would fetch theirs from another site.
THEME = gr.themes.Default(
    primary_hue="blue",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
)


def build() -> gr.Blocks:
    """The whole demo, ready to launch."""
    with gr.Blocks(
        title="GenImage Lab", analytics_enabled=False, delete_cache=(FORGET_AFTER, FORGET_AFTER)
    ) as demo:
        gr.Markdown(LEAD)
        with gr.Tab("Detect"):
            _detect_tab()
        with gr.Tab("Degrade"):
            _degrade_tab()
        with gr.Tab("Benchmark"):
            _tables_tab(demo)
    demo.queue(default_concurrency_limit=1, max_size=200)
    return demo


def _titles() -> dict[str, str]:
    return {name: detector_info(name).title for name in list_detectors()}


def _picture() -> gr.Image:
    """An image whose file reaches the core untouched: its bytes tell of compression and origin."""
    image = gr.Image(type="filepath", image_mode=None, sources=["upload", "clipboard"], label="Picture")
    decode = image.preprocess

    def as_uploaded(payload: Any) -> Any:
        """Return the file's path; what is wrong with it says the core, in its own words."""
        return payload.path if payload is not None and payload.path else decode(payload)

    # On the instance: a subclass of a component makes Gradio write a stub file beside the source.
    image.preprocess = as_uploaded  # type: ignore[method-assign]
    return image


def _look(image: str | None) -> Any:
    """Ask about a picture that has just come; an emptied place changes nothing."""
    return endpoints.detect(image) if image else gr.skip()


def _detect_tab() -> None:
    with gr.Row():
        with gr.Column():
            image = _picture()
            ask = gr.Button("Ask again")
            gr.Examples([str(s.path) for s in list_samples()[:12]], image, api_visibility="private")
        with gr.Column():
            verdict = gr.HTML()
            scores = gr.HTML()
            with gr.Accordion("Everything as JSON", open=False):
                facts = gr.JSON(show_label=False)

    def show(answer: dict[str, Any]) -> tuple[str, str]:
        return html.verdict(answer), html.bars(answer["detectors"], _titles())

    asked = ask.click(endpoints.detect, image, facts, api_name="detect")
    # As soon as a picture is there; emptying the place asks nobody.
    came = image.change(_look, image, facts, api_visibility="private")
    for event in (asked, came):
        event.success(show, facts, [verdict, scores], api_visibility="private")
    image.clear(lambda: ("", ""), None, [verdict, scores], api_visibility="private")


def _degrade_tab() -> None:
    with gr.Row():
        with gr.Column():
            image = _picture()
            how = gr.Dropdown(
                [str(step) for step in PAPER_SUITE.values()] + ["blur:3+jpeg:65"],
                value="jpeg:30",
                allow_custom_value=True,
                label="What is done to it",
                info="The benchmark's six, or a chain of your own such as lowres:200+jpeg:80.",
            )
            run = gr.Button("Damage it and ask again", variant="primary")
            samples = [[str(s.path), "jpeg:30"] for s in list_samples()[:3]]
            gr.Examples(samples, [image, how], api_visibility="private")
        with gr.Column():
            slider = gr.ImageSlider(label="Before and after", format="png", interactive=False)
            table = gr.HTML()
            with gr.Accordion("Scores as JSON", open=False):
                facts = gr.JSON(show_label=False)
    done = run.click(endpoints.degrade, [image, how], [slider, facts], api_name="degrade")
    done.success(lambda a: html.change(a, _titles()), facts, table, api_visibility="private")


def _tables_tab(demo: gr.Blocks) -> None:
    choices = [(load_table(name).title, name) for name in list_tables()]
    table = gr.Dropdown(choices, value=choices[0][1], label="Table")
    chart, text = gr.Plot(show_label=False), gr.HTML()
    with gr.Accordion("As JSON", open=False):
        facts = gr.JSON(show_label=False)
    chosen = table.change(endpoints.tables, table, facts, api_name="tables")
    first = demo.load(endpoints.tables, table, facts, api_visibility="private")
    for event in (chosen, first):
        event.success(
            lambda answer: (table_figure(load_table(answer["id"])), html.source(answer)),
            facts,
            [chart, text],
            api_visibility="private",
        )
