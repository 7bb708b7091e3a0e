# SPDX-License-Identifier: MIT
"""PHP's cURL, with one handle for all requests."""

import os

import support

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "client.php")
support.client_test(lambda url, _: support.run_json(["php", SCRIPT], url, support.LATER))
