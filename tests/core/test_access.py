"""Settings of TLS and authentication."""

from typing import Any

import pytest

from battle.core.access import Auth, Tls


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        ({"basic": {"user": "Aladdin", "password": "open sesame"}}, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),  # RFC 7617
        ({"basic": {"user": "test", "password": "123£"}}, "Basic dGVzdDoxMjPCow=="),  # RFC 7617, 2.1
        ({"basic": {"user": "", "password": ""}}, "Basic Og=="),
        ({"basic": {"user": "a", "password": "b:c"}}, "Basic YTpiOmM="),
        ({"bearer": "mF_9.B5f-4.1JqM"}, "Bearer mF_9.B5f-4.1JqM"),  # RFC 6750, 2.1
    ],
)
def test_headers(auth: dict[str, Any], header: str) -> None:
    assert Auth.model_validate(auth).header == header


@pytest.mark.parametrize(
    ("auth", "why"),
    [
        ({}, "write either"),
        ({"basic": {"user": "a", "password": "b"}, "bearer": "c"}, "write either"),
        ({"basic": {"user": "a:b", "password": "c"}}, "colon"),
        ({"basic": {"user": "a", "password": "b\n"}}, "line ends"),
        ({"basic": {"user": "a", "password": "${key}"}}, "per request"),
        ({"bearer": "token\n"}, "line end"),
        ({"bearer": "a\r\nx-evil: 1"}, "visible"),
        ({"bearer": ""}, "visible"),
        ({"bearer": "tökén"}, "visible"),
    ],
)
def test_auth_refused(auth: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Auth.model_validate(auth)


@pytest.mark.parametrize(
    ("tls", "why"),
    [
        ({"key": "k.pem"}, "without its `cert`"),
        ({"insecure": True, "ca": "ca.pem"}, "would not be looked at"),
        ({"server_name": ""}, "at least 1"),
    ],
)
def test_tls_refused(tls: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Tls.model_validate(tls)
