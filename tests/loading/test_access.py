"""TLS and credentials in a scenario: files that are looked at, and secrets that nobody gets to read."""

from pathlib import Path

import pytest
import trustme

from battle.errors import Problem, ScenarioError
from battle.loading import load_scenario, load_text

TEXT = """name: t
vars: {token: hunter2-in-vars, start: hunter9, rate: 100/s}
setup:
  proxy: {kind: url, url: "https://127.0.0.1:9"}
workload:
  reads:
    load: {kind: constant, rate: "${rate}", duration: 2s}
    requests: [{method: eth_blockNumber}]
"""


def written(directory: Path, *lines: str, text: str = TEXT) -> Path:
    path = directory / "s.yaml"
    path.write_text(text + "".join(f"    {line}\n" for line in lines))
    return path


def problem_of(path: Path) -> Problem:
    with pytest.raises(ScenarioError) as raised:
        load_scenario(path)
    (problem,) = raised.value.problems
    return problem


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("auth: {bearer: s3cr3t-token}", "s3cr3t-token"),
        ("auth: {basic: {user: me, password: s3cr3t word}}", "s3cr3t word"),
        ('auth: {basic: {user: me, password: "7"}}', "'7'"),
        ("auth: {bearer: '${token}'}", "hunter2-in-vars"),
        ("auth: {bearer: 'x-${start}-y'}", "hunter9"),
        ("auth: {bearer: 'pre-${env:SECRET}'}", "pre-"),
        ("headers: {Authorization: Token s3cr3t}", "s3cr3t"),
        ("headers: {X-Api-Key: s3cr3t}", "s3cr3t"),
        ("headers: {cookie: session=s3cr3t}", "s3cr3t"),
    ],
)
def test_credentials_are_sent_and_not_stored(line: str, secret: str) -> None:
    loaded = load_text(f"{TEXT}    {line}\n", environment={"SECRET": "from-env"})
    assert secret not in loaded.masked_text
    assert "from-env" not in loaded.masked_text
    assert secret.strip("'") in str(loaded.data)
    again = load_text(loaded.masked_text, stored=True)
    assert again.masked_text == loaded.masked_text
    assert again.scenario.workload["reads"].load == loaded.scenario.workload["reads"].load


def test_the_user_and_vars_that_are_no_part_of_a_secret_stay(tmp_path: Path) -> None:
    del tmp_path
    text = load_text(f"{TEXT}    auth: {{basic: {{user: me, password: other}}}}\n").masked_text
    assert "user: me" in text
    assert "token: hunter2-in-vars" in text
    assert "rate: 100/s" in text


def test_a_credential_of_the_wrong_form_is_not_shown() -> None:
    for line in ("auth: {bearer: [s3cr3t]}", "auth: {bearer: 123456}", "auth: s3cr3t", "auth: {basic: s3cr3t}"):
        with pytest.raises(ScenarioError) as raised:
            load_text(f"{TEXT}    {line}\n")
        assert "s3cr3t" not in str(raised.value)
        assert "123456" not in str(raised.value)


def test_two_ways_to_give_the_same_header(tmp_path: Path) -> None:
    path = written(tmp_path, "auth: {bearer: s3cr3t}", "headers: {Authorization: t0ken}")
    assert "`headers` has another one" in problem_of(path).message


def test_files_are_found_beside_the_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    path = written(tmp_path, "tls: {ca: ca.pem, cert: client.pem}")
    monkeypatch.chdir("/")
    loaded = load_scenario(path)
    tls = loaded.scenario.workload["reads"].tls
    assert tls is not None
    assert (tls.ca, tls.cert) == (tmp_path / "ca.pem", tmp_path / "client.pem")
    (tmp_path / "ca.pem").unlink()
    assert load_text(loaded.masked_text, stored=True).scenario == loaded.scenario, "it can be judged all the same"
    assert "no file" in problem_of(path).message


@pytest.mark.parametrize(
    ("line", "place", "words"),
    [
        ("tls: {ca: absent.pem}", (9, 15), "there is no file 'absent.pem'"),
        ("tls: {ca: empty.pem}", (9, 5), "empty.pem holds no certificate"),
        ("tls: {cert: ca.pem}", (9, 5), "ca.pem is no certificate with a key"),
        ("tls: {cert: ca.pem, key: empty.pem}", (9, 5), "empty.pem is no PEM"),
        ("tls: {cert: ca.pem, key: other.key}", (9, 5), "other.key is not the key of"),
        ("tls: {cert: ca.pem, key: locked.key}", (9, 5), "locked.key is encrypted"),
        ("tls: {key: other.key}", (9, 5), "without its `cert`"),
        ("tls: {insecure: yes}", (9, 21), "is not true or false"),
        ("tls: {verify: false}", (9, 11), "unknown key 'verify'"),
    ],
)
def test_files_that_cannot_be_used(line: str, place: tuple[int, int], words: str, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415  (of one row only)

    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    pem = trustme.CA().issue_cert("x").private_key_pem.bytes()
    (tmp_path / "other.key").write_bytes(pem)
    key = form.load_pem_private_key(pem, None)
    locked = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(b"x"))
    (tmp_path / "locked.key").write_bytes(locked)
    (tmp_path / "empty.pem").write_text("nothing\n")
    problem = problem_of(written(tmp_path, line))
    assert words in problem.message
    assert (problem.line, problem.column) == place


def test_tls_settings_without_tls(tmp_path: Path) -> None:
    path = written(tmp_path, "tls: {insecure: true}", text=TEXT.replace("https:", "http:"))
    assert "without TLS" in problem_of(path).message


def test_insecure_is_told() -> None:
    (note,) = load_text(f"{TEXT}    tls: {{insecure: true}}\n").notes
    assert note.startswith("reads does not check the server's certificate")
    assert not load_text(f"{TEXT}    tls: {{server_name: proxy.test}}\n").notes
