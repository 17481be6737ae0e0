"""Makes the bundled samples and the bundled evaluation set from named packages."""
