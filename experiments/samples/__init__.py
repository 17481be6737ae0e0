"""The bundled sample pictures: the small diffusion model that paints the fakes among them."""
