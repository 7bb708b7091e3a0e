# SPDX-License-Identifier: MIT
"""Python's requests, with a session that keeps its connection."""

import requests

import support


def exchange(url, _):
    with requests.Session() as session:
        session.trust_env = False
        first = session.get(url, timeout=support.PATIENCE_S)
        second = session.get(url, headers={"If-None-Match": first.headers["ETag"]}, timeout=support.PATIENCE_S)
        third = session.get(url, headers={"If-Modified-Since": support.LATER}, timeout=support.PATIENCE_S)
        return [(answer.status_code, answer.text) for answer in (first, second, third)]


support.client_test(exchange)
