"""Lay out, check and push the Spaces: `make space`, or `python -m deploy.spaces --help`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy.spaces.check import check_space
from deploy.spaces.layout import SPACES, lay_out

app = typer.Typer(add_completion=False, no_args_is_help=True)
Out = Annotated[Path, typer.Option(help="Where the folders lie.")]


@app.command()
def layout(out: Out = Path("build")) -> None:
    """Write build/space-streamlit and build/space-gradio, and check both."""
    for space in SPACES.values():
        folder = lay_out(space, out)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"{folder}: {size / 1e6:.0f} MB")
    check(out)


@app.command()
def check(out: Out = Path("build")) -> None:
    """Check the folders that `layout` wrote."""
    problems = [f"{name}: {text}" for name in SPACES for text in check_space(out / f"space-{name}")]
    for problem in problems:
        print(problem)
    if problems:
        raise typer.Exit(1)
    print("both Spaces can be pushed")


@app.command()
def push(
    name: Annotated[str, typer.Argument(help="`streamlit` or `gradio`.")],
    repository: Annotated[str, typer.Argument(help="OWNER/NAME on the hub.")],
    out: Out = Path("build"),
) -> None:
    """Push one folder; needs `hf auth login` before."""
    from huggingface_hub import HfApi

    folder = out / f"space-{name}"
    if name not in SPACES or not folder.is_dir():
        raise typer.BadParameter("run `make space` first; known are streamlit and gradio")
    if problems := check_space(folder):
        raise typer.BadParameter("; ".join(problems))
    api = HfApi()
    sdk = "docker" if name == "streamlit" else "gradio"
    api.create_repo(repository, repo_type="space", space_sdk=sdk, exist_ok=True)
    api.upload_folder(repo_id=repository, repo_type="space", folder_path=folder)
    print(f"pushed to {repository}")


if __name__ == "__main__":
    app()
