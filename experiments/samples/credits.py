"""The README that goes with the pictures: where they come from, who made them, under which licence."""

from __future__ import annotations

import json
from pathlib import Path

HEAD = """\
# Bundled samples

{fakes} AI images of {models} current models, {photographs} photographs and {others} pictures that are
neither, to try the detectors on. `samples.json` lists each with its truth, source, licence, credit and
sha256. The file names tell nothing. The bundled evaluation set (`assets/evaluation_set`, with its own
`manifest.json`) comes from the same packages.

- **AI images** come from the workflow templates of ComfyUI (MIT, Copyright Comfy Org), packaged on
  PyPI. The templates' file names say which model made each picture.
- **Photographs and the rest** come from Debian's packages of desktop backgrounds, scikit-image and
  scikit-learn, each under the licence named below. Cropping and scaling are the only changes.
- All pictures take the same way, so that neither size nor format tells them apart: the middle square,
  400 px, WebP, the middle 384 px (256 px in the evaluation set), JPEG.
- They were chosen by eye before any detector had seen them. None of them was or may be trained on.

Make both folders again from the packages, whose versions and sha256 stand in
`experiments/samples/packages.csv`:

    python -m experiments.samples.open_pictures FOLDER_WITH_THE_PACKAGES

The licences' texts: [MIT](https://opensource.org/license/mit),
[CC0](https://creativecommons.org/publicdomain/zero/1.0/), [CC BY
2.0](https://creativecommons.org/licenses/by/2.0/), [CC BY
4.0](https://creativecommons.org/licenses/by/4.0/), [CC BY-SA
3.0](https://creativecommons.org/licenses/by-sa/3.0/), [CC BY-SA
4.0](https://creativecommons.org/licenses/by-sa/4.0/),
[GPL-2+](https://www.gnu.org/licenses/old-licenses/gpl-2.0.html),
[LGPL-3.0](https://www.gnu.org/licenses/lgpl-3.0.html). No maker endorses this project.

"""


def write_readme(folder: Path) -> None:
    """Write README.md beside `samples.json`, from what that says."""
    entries = json.loads((folder / "samples.json").read_text(encoding="utf-8"))
    truths = [entry["truth"] for entry in entries]
    head = HEAD.format(
        fakes=truths.count("fake"),
        models=len({entry["generator"] for entry in entries if entry["generator"]}),
        photographs=truths.count("real"),
        others=truths.count("neither"),
    )
    rows = ["| File | What | Truth | From | Licence and credit |", "|---|---|---|---|---|"]
    for entry in entries:
        truth = entry["kind"] or {"fake": entry["generator"], "real": "photograph"}[entry["truth"]]
        package = entry["source"].split(",")[0]
        credit = f"{entry['licence']}: {entry['attribution']}"
        rows.append(f"| `{entry['file']}` | {entry['title']} | {truth} | {package} | {credit} |")
    (folder / "README.md").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
