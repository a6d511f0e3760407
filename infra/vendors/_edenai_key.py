"""The key pair with which the simulated Eden AI signs. It is the same everywhere, and no secret:
whoever runs the simulator knows its public half without asking.
"""

import hashlib
import json

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_P = int(
    "D2473ED73368087E16CF8902635D8AD5856F7E5586289CFF092FCBEF00DF924B"
    "B87A49F4F979BC97E2EB7BD13A72230C642C8D4ED609A335A5DC0C8DA2BA3935"
    "CC56BEC88E90E96DED6C1E4B9FADD52FCFFE8497ED19DBECDEFE8D6542565554"
    "10E525490CDCFB4DB7343DD39341E6B1EF49B90F1B3B868FB16C72A83A48B733",
    16,
)
_Q = int(
    "C289FD760F257AEAD54911DCD7E03055C8623C376966F201034677D923D70F58"
    "25BBFA4F7C72002713F737C3573EE23E94486720C25FCF8F57ECD2208732A9A2"
    "B82D125A110FE625FF8F0D96E428932CF7F137A7F4332ACAAF28EB3FE520E0E8"
    "8F0A84CBD8AD072E4740B3EB3962624D52629A8FD4C901D03F3E985F85E3C469",
    16,
)
_EXPONENT = 65537


class EdenSigner:
    """RSA over the digest of an event: sorted, indented by two, unescaped. Source:
    edenai.co/docs/v3/expert-models/webhooks.
    """

    def headers(self, raw_body: bytes, *, is_genuine: bool) -> dict[str, str]:
        """See Signer. A forger has another event's signature at best."""
        digest = _digest(raw_body if is_genuine else b"{}")
        signature = _PRIVATE_KEY.sign(digest, PKCS1v15(), SHA256())
        return {
            "User-Agent": "EdenAI/Ai-Features",
            "X-Edenai-Webhook": "true",
            "X-Edenai-Signature": signature.hex(),
            "X-Edenai-Hash-Algorithm": "SHA256",
        }


def _digest(raw_body: bytes) -> bytes:
    canonical = json.dumps(json.loads(raw_body), sort_keys=True, indent=2, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest().encode()


def _numbers() -> RSAPrivateNumbers:
    secret = pow(_EXPONENT, -1, (_P - 1) * (_Q - 1))
    return RSAPrivateNumbers(
        p=_P,
        q=_Q,
        d=secret,
        dmp1=secret % (_P - 1),
        dmq1=secret % (_Q - 1),
        iqmp=pow(_Q, -1, _P),
        public_numbers=RSAPublicNumbers(_EXPONENT, _P * _Q),
    )


_PRIVATE_KEY = _numbers().private_key()
PUBLIC_KEY_PEM = (
    _PRIVATE_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
)
