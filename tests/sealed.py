"""Workbooks with a password, opened as Excel opens them."""

import io

import msoffcrypto


def opened(content: bytes, password: str) -> bytes:
    """The workbook in an encrypted one; an InvalidKeyError where the password is another."""
    file, out = msoffcrypto.OfficeFile(io.BytesIO(content)), io.BytesIO()
    assert file.is_encrypted()
    file.load_key(password=password, verify_password=True)
    file.decrypt(out)
    return out.getvalue()
