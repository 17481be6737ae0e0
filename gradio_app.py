"""The Gradio demo: `python gradio_app.py`. Address and port come from GRADIO_SERVER_NAME and _PORT.

An API and an MCP server come with it: `/detect`, `/degrade` and `/tables` (docs/api.md).
"""

import os
import threading

# Before Gradio is imported: it reads them then.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

from genimage_core.utils.paths import asset
from gradio_demo import endpoints
from gradio_demo.interface import MAX_UPLOAD, THEME, build

demo = build()

if __name__ == "__main__":
    if endpoints.on_zero_gpu():
        endpoints.warm_up()  # what is loaded before a GPU is lent need not be loaded again for each visitor
    else:
        threading.Thread(target=endpoints.warm_up, name="load-detectors", daemon=True).start()
    demo.launch(
        mcp_server=True,
        max_file_size=MAX_UPLOAD,
        allowed_paths=[str(asset("samples"))],
        theme=THEME,
        show_error=True,
    )
