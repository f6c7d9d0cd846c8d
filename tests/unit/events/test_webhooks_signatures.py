"""How every provider verifies: published vectors, rotation, doubled and malformed headers, empty secrets."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import example, given
from hypothesis import strategies as st

from amplify_jobs.errors import InvalidSignatureError
from amplify_jobs.events.webhooks import gitea, gitlab, provider, standard, standard_signature
from tests.support.recorded_webhooks import HOSTS, NOW, corpus_body, secret_of, signed, vectors

BODY = b'{"ref":"refs/heads/main"}'
NAMES = sorted({name for host in HOSTS for name in signed(host, secret_of(host, "w"), BODY)} | {gitlab.TOKEN_HEADER})
WORDS = st.text(min_size=1).filter(lambda word: word.isascii() and "\n" not in word)


def verifies(host: str, headers: dict[str, str], body: bytes, secrets: list[str], now: datetime = NOW) -> bool:
    try:
        provider(host).verify(headers, body, secrets, now)
    except InvalidSignatureError:
        return False
    return True


@pytest.mark.parametrize("vector", vectors())
def test_vectors(vector: dict[str, Any]) -> None:
    body = corpus_body(vector["body_file"]) if "body_file" in vector else vector["body"].encode()
    secrets = [vector[name] for name in ("secret", "token") if name in vector]
    now = datetime.fromtimestamp(vector["clock"], UTC) if "clock" in vector else NOW
    assert verifies(vector["provider"], vector["headers"], body, secrets, now) == (vector["expect"] == "accept")


@pytest.mark.parametrize("host", HOSTS)
class TestEveryHost:
    def test_any_secret_of_the_list_will_do(self, host: str) -> None:
        old, new = secret_of(host, "old!"), secret_of(host, "new!")
        for secret in (old, new):
            assert verifies(host, signed(host, secret, BODY), BODY, [old, new])
        assert not verifies(host, signed(host, old, BODY), BODY, [new])

    def test_header_names_may_have_any_case(self, host: str) -> None:
        secret = secret_of(host, "word")
        headers = {name.swapcase(): value for name, value in signed(host, secret, BODY).items()}
        assert verifies(host, headers, BODY, [secret])

    def test_without_headers_nothing_passes(self, host: str) -> None:
        assert not verifies(host, {}, BODY, [secret_of(host, "word")])

    def test_a_header_that_occurs_twice_is_refused(self, host: str) -> None:
        secret = secret_of(host, "word")
        headers = signed(host, secret, BODY)
        for name, value in headers.items():
            assert not verifies(host, {**headers, name.upper(): value, name.lower(): value}, BODY, [secret])
            assert not verifies(host, {**headers, name: f"{value},{value}"}, BODY, [secret])
            assert not verifies(host, {**headers, name: f"{value}, {value}"}, BODY, [secret])

    def test_white_space_and_line_ends_are_refused(self, host: str) -> None:
        secret = secret_of(host, "word")
        headers = signed(host, secret, BODY)
        for name, value in headers.items():
            for changed in (f" {value}", f"{value} ", f"{value}\n", f"\t{value}", ""):
                assert not verifies(host, {**headers, name: changed}, BODY, [secret])

    def test_refusals_are_401_and_repeat_no_secret(self, host: str) -> None:
        sent_secret, stored_secret = secret_of(host, "what was given"), secret_of(host, "what is known")
        headers = signed(host, sent_secret, BODY)
        for sent in ({}, headers, dict.fromkeys(headers, sent_secret)):
            with pytest.raises(InvalidSignatureError) as refusal:
                provider(host).verify(sent, BODY, [stored_secret], NOW)
            assert refusal.value.status == 401
            assert sent_secret not in str(refusal.value)
            assert stored_secret not in str(refusal.value)

    @pytest.mark.parametrize("secrets", [[], [""], ["", ""]])
    def test_an_empty_secret_verifies_nothing(self, host: str, secrets: list[str]) -> None:
        empty = dict.fromkeys(NAMES, "")
        assert not verifies(host, empty, BODY, secrets)
        assert not verifies(host, signed(host, secret_of(host, "word"), BODY), BODY, secrets)

    @given(WORDS, st.binary(), st.binary())
    def test_a_signature_fits_its_body_and_secret_alone(self, host: str, word: str, body: bytes, other: bytes) -> None:
        secret = secret_of(host, word)
        headers = signed(host, secret, body)
        assert verifies(host, headers, body, [secret])
        assert not verifies(host, headers, body, [secret_of(host, word + "x")])
        if host != "azure-devops":
            assert verifies(host, headers, other, [secret]) == (other == body)

    @given(st.dictionaries(st.sampled_from([*NAMES, *map(str.lower, NAMES)]), st.text()), st.binary())
    @example(dict.fromkeys(NAMES, "�"), b"")
    @example(dict.fromkeys(NAMES, "sha256=" + "٣" * 64), b"")
    @example({"Authorization": "Basic " + "=" * 8}, b"")
    @example({"webhook-id": "x", "webhook-timestamp": "9" * 400, "webhook-signature": "v1,AAAA"}, b"")
    def test_nothing_but_the_right_proof_passes(self, host: str, headers: dict[str, str], body: bytes) -> None:
        assert not verifies(host, headers, body, [secret_of(host, "a word that hypothesis does not guess")])


@pytest.mark.parametrize("host", ["standard", "gitlab"])
class TestSignedMessages:
    @pytest.mark.parametrize("seconds", [-301, -300, 0, 300, 301])
    def test_five_minutes_are_tolerated(self, host: str, seconds: int) -> None:
        secret = secret_of(host, "word")
        later = NOW + timedelta(seconds=seconds)
        assert verifies(host, signed(host, secret, BODY), BODY, [secret], later) == (abs(seconds) <= 300)

    def test_id_and_time_are_signed(self, host: str) -> None:
        secret = secret_of(host, "word")
        headers = signed(host, secret, BODY)
        assert not verifies(host, {**headers, "webhook-id": "msg_2"}, BODY, [secret])
        other = str(int(headers["webhook-timestamp"]) + 1)
        assert not verifies(host, {**headers, "webhook-timestamp": other}, BODY, [secret])

    def test_one_good_signature_of_a_list_is_enough(self, host: str) -> None:
        secret = secret_of(host, "word")
        headers = signed(host, secret, BODY)
        for given_signatures in ("v1,AAAA {}", "v2,AAAA {} v1,AA==", "{} v1a,AAAA"):
            signatures = given_signatures.format(headers["webhook-signature"])
            assert verifies(host, {**headers, "webhook-signature": signatures}, BODY, [secret])

    @pytest.mark.parametrize("change", ["v1 {}", "v1,{}=", "v1,{} ", "v2,{}", "V1,{}", "v1,{}  v1,AAAA", "v1,\u00e9{}"])
    def test_malformed_signatures_are_refused(self, host: str, change: str) -> None:
        secret = secret_of(host, "word")
        headers = signed(host, secret, BODY)
        signature = change.format(headers["webhook-signature"].removeprefix("v1,"))
        assert not verifies(host, {**headers, "webhook-signature": signature}, BODY, [secret])

    def test_a_secret_that_is_no_base64_is_none_and_hinders_no_other(self, host: str) -> None:
        secret = secret_of(host, "word")
        headers = signed(host, secret, BODY)
        assert verifies(host, headers, BODY, ["whsec_not base64", secret])
        assert not verifies(host, headers, BODY, ["whsec_not base64", "whsec_"])


class TestGitlab:
    def test_a_plain_token_is_taken_where_no_signing_token_is_configured(self) -> None:
        headers = {"X-Gitlab-Token": "s3cret", "webhook-id": "1", "webhook-timestamp": "1"}
        assert verifies("gitlab", headers, BODY, ["older", "s3cret"])
        assert not verifies("gitlab", headers, BODY, ["another"])

    def test_never_falls_back_to_the_plain_token(self) -> None:
        token = secret_of("gitlab", "word")
        for headers in ({"X-Gitlab-Token": "s3cret"}, {"X-Gitlab-Token": token}):
            assert not verifies("gitlab", headers, BODY, [token, "s3cret"])

    def test_a_token_with_letters_beyond_ascii_is_compared_as_bytes(self) -> None:
        assert verifies("gitlab", {"X-Gitlab-Token": "gehe\u00efm"}, BODY, ["gehe\u00efm"])
        assert not verifies("gitlab", {"X-Gitlab-Token": "gehe\u00efm"}, BODY, ["geheim"])


class TestBitbucketServer:
    BASIC = staticmethod(lambda value: {"Authorization": "Basic " + base64.b64encode(value.encode()).decode()})

    def test_basic_is_enough_where_only_basic_is_configured(self) -> None:
        assert verifies("bitbucket-server", self.BASIC("user:word"), BODY, ["user:old", "user:word"])
        assert not verifies("bitbucket-server", self.BASIC("user:other"), BODY, ["user:word"])

    def test_basic_is_not_enough_where_a_signing_secret_is_configured(self) -> None:
        assert not verifies("bitbucket-server", self.BASIC("user:word"), BODY, ["user:word", "s3cret"])

    def test_a_wrong_signature_is_not_outweighed_by_basic(self) -> None:
        headers = {**self.BASIC("user:word"), "X-Hub-Signature": "sha256=" + "a" * 64}
        assert not verifies("bitbucket-server", headers, BODY, ["user:word"])


class TestAzureDevops:
    @pytest.mark.parametrize("secret", [":", "user:", ":word", "word"])
    def test_a_secret_without_user_or_password_is_none(self, secret: str) -> None:
        assert not verifies("azure-devops", signed("azure-devops", secret, BODY), BODY, [secret])

    def test_the_password_may_hold_a_colon_and_the_scheme_have_any_case(self) -> None:
        headers = signed("azure-devops", "u:a:b", BODY)
        assert verifies(
            "azure-devops", {"Authorization": headers["Authorization"].replace("Basic", "bASIC")}, b"", ["u:a:b"]
        )


class TestForms:
    FORM = urlencode({"payload": BODY.decode()}).encode()
    HEADERS: ClassVar = {"Content-Type": "application/x-www-form-urlencoded"}

    def test_gitea_signs_the_json_in_the_form(self) -> None:
        for host, name in (("gitea", "X-Gitea-Signature"), ("forgejo", "X-Forgejo-Signature")):
            assert verifies(host, {**self.HEADERS, name: gitea.sign("s", BODY)}, self.FORM, ["s"])
            assert not verifies(host, {**self.HEADERS, name: gitea.sign("s", self.FORM)}, self.FORM, ["s"])
            assert not verifies(host, {**self.HEADERS, name: gitea.sign("s", b"")}, b"%", ["s"])

    def test_github_signs_the_form(self) -> None:
        assert verifies("github", {**self.HEADERS, **signed("github", "s", self.FORM)}, self.FORM, ["s"])


class TestPublicKeys:
    KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    SECRET = "whpk_" + base64.b64encode(KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()

    def headers(self, body: bytes = BODY) -> dict[str, str]:
        seconds = str(int(NOW.timestamp()))
        signature = base64.b64encode(self.KEY.sign(f"msg_1.{seconds}.".encode() + body)).decode()
        return {"webhook-id": "msg_1", "webhook-timestamp": seconds, "webhook-signature": f"v1a,{signature}"}

    def test_v1a_is_verified_with_the_public_key(self) -> None:
        assert verifies("standard", self.headers(), BODY, [secret_of("standard", "word"), self.SECRET])
        assert not verifies("standard", self.headers(), BODY + b" ", [self.SECRET])

    def test_a_public_key_is_no_shared_secret(self) -> None:
        """Who knows the public key must not be able to sign v1 with it."""
        key = self.SECRET.removeprefix("whpk_")
        signature = standard_signature.sign(key, "msg_1", int(NOW.timestamp()), BODY)
        headers = {**self.headers(), "webhook-signature": signature}
        assert not verifies("standard", headers, BODY, [self.SECRET])

    @pytest.mark.parametrize("secret", ["whpk_", "whpk_AAAA", "whpk_ no base64", standard.PUBLIC_KEY_PREFIX + "A" * 44])
    def test_malformed_public_keys_verify_nothing(self, secret: str) -> None:
        assert not verifies("standard", self.headers(), BODY, [secret])
