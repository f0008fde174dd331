"""The browser edition: the course as a static site, in which Python runs in the page (JupyterLite and Pyodide)."""
