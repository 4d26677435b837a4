"""What a person wants to know of a certificate."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509


@dataclass(frozen=True)
class Certificate:
    """The readable part of a certificate; what it lacks is empty."""

    subject: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()
    not_before: float = 0.0
    not_after: float = 0.0

    def facts(self, now: float) -> dict[str, str]:
        """Say it by name, and whether it is valid at `now`."""
        if not self.issuer:
            return {}
        facts = {"subject": self.subject or "(empty)", "issuer": self.issuer}
        if self.names:
            more = f" and {len(self.names) - 4} more" if len(self.names) > 4 else ""
            facts["names"] = ", ".join(self.names[:4]) + more
        day = datetime.fromtimestamp(self.not_after, UTC).date().isoformat()
        if now > self.not_after:
            facts["expiry"] = f"{day}: expired"
        elif now < self.not_before:
            facts["expiry"] = f"{day}: not valid yet"
        else:
            facts["expiry"] = f"{day}: in {int((self.not_after - now) // 86400)} days"
        return facts


def read(der: bytes) -> Certificate:
    """Read a certificate in DER; an empty `Certificate` if it cannot be read."""
    try:
        found = x509.load_der_x509_certificate(der)
        try:
            alternatives = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            names = tuple(str(name.value) for name in alternatives.value)
        except x509.ExtensionNotFound:
            names = ()
        return Certificate(
            subject=found.subject.rfc4514_string(),
            issuer=found.issuer.rfc4514_string() or "(empty)",
            names=names,
            not_before=found.not_valid_before_utc.timestamp(),
            not_after=found.not_valid_after_utc.timestamp(),
        )
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        # a certificate that OpenSSL takes and a strict parser does not
        return Certificate()
