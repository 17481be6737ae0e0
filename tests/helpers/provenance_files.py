"""Files that say something of themselves, written for the tests of reading it."""

from __future__ import annotations

import datetime
import io
import json
from typing import Any

import cv2
import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image, PngImagePlugin

from genimage_core.provenance import Provenance
from tests.helpers.image_files import encoded, picture

MIME = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "TIFF": "image/tiff"}
TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
A1111 = (
    "a cat\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512, "
    "Model hash: abc, Model: dreamer_v8"
)
COMFY = json.dumps(
    {"3": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sdxl.safetensors"}}}
)
GRAPH = json.dumps({"last_node_id": 3, "nodes": [{"id": 3, "type": "KSampler"}], "links": []})
NOVEL = json.dumps({"prompt": "a cat", "sampler": "k_euler", "uc": "dog", "steps": 28})
MIDJOURNEY = "a cat --v 6 Job ID: 01234567-89ab-cdef-0123-456789abcdef"


def png(packed: bool = False, **texts: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key.replace("__", "-"), text, zip=packed)
    return encoded(picture(), "PNG", pnginfo=info)


def xmp(properties: str) -> bytes:
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
        'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" '
        'xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#" '
        'xmlns:dcterms="http://purl.org/dc/terms/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:exif="http://ns.adobe.com/exif/1.0/" '
        f'xmlns:AIGC="http://www.tc260.org.cn/ns/AIGC/1.0/" {properties}</rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def exif(**values: object) -> bytes:
    tags = {"description": 270, "make": 271, "model": 272, "software": 305, "changed": 306}
    block = Image.Exif()
    for name, tag in tags.items():
        if name in values:
            block[tag] = values[name]
    for name, tag in {"captured": 36867, "comment": 37510}.items():
        if name in values:
            block.get_ifd(34665)[tag] = values[name]
    return block.tobytes()


def says(provenance: Provenance, kind: str, claim: str) -> str:
    """The value of the one source of that kind and claim."""
    (source,) = [s for s in provenance.sources if (s.kind, s.claim) == (kind, claim)]
    return source.value


def with_xmp(kind: str, packet: bytes) -> bytes:
    if kind != "PNG":
        return encoded(picture(), kind, xmp=packet)
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet.decode())
    return encoded(picture(), "PNG", pnginfo=info)


def embed(image: np.ndarray, bits: str, *, swapped: bool = False) -> np.ndarray:
    """Write a message as dwtDct does: U channel, Haar low band, the largest of each 4 x 4 block."""
    to, back = (cv2.COLOR_BGR2YUV, cv2.COLOR_YUV2BGR) if swapped else (cv2.COLOR_RGB2YUV, cv2.COLOR_YUV2RGB)
    yuv = cv2.cvtColor(image, to).astype(np.float64)
    count = 0
    for top in range(0, image.shape[0] // 8 * 8, 8):
        for left in range(0, image.shape[1] // 8 * 8, 8):
            block = yuv[top : top + 8, left : left + 8, 1]
            low = block.reshape(4, 2, 4, 2).sum(axis=(1, 3)) / 2
            row, column = divmod(int(np.abs(low.ravel()[1:]).argmax()) + 1, 4)
            target = (low[row, column] // 36 + 0.25 + 0.5 * int(bits[count % len(bits)])) * 36
            block[2 * row : 2 * row + 2, 2 * column : 2 * column + 2] += (target - low[row, column]) / 2
            count += 1
    return cv2.cvtColor(np.clip(yuv.round(), 0, 255).astype(np.uint8), back)


class Maker:
    """A signer with a root certificate of its own, which nobody else knows."""

    def __init__(self, organisation: str, *, lifetime: float = 30 * 86_400) -> None:
        """The certificates expire after `lifetime` seconds: nobody signs with expired ones."""
        self.expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=lifetime)
        root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root_name, name = self._name(organisation, "root"), self._name(organisation, "signer")
        identifier = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
        root = self._certificate(root_name, root_name, root_key, ca=True).add_extension(identifier, False)
        leaf = (
            self._certificate(name, root_name, key, ca=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False)
        )
        pems = [
            built.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
            for built in (leaf, root)
        ]
        self.chain, self.root = b"".join(pems), pems[1].decode()
        self.key = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @staticmethod
    def _name(organisation: str, common: str) -> x509.Name:
        pairs = ((NameOID.COMMON_NAME, common), (NameOID.ORGANIZATION_NAME, organisation))
        return x509.Name([x509.NameAttribute(oid, text) for oid, text in pairs])

    def _certificate(
        self, name: x509.Name, issuer: x509.Name, key: Any, *, ca: bool
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only"),
            False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(self.expires)
            .add_extension(x509.BasicConstraints(ca, None), True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not ca, key_cert_sign=ca, crl_sign=ca, decipher_only=False, **usage
                ),
                True,
            )
        )

    def sign(
        self,
        data: bytes,
        actions: list[dict[str, Any]],
        kind: str = "JPEG",
        parent: bytes = b"",
        claim_version: int = 2,
    ) -> bytes:
        """Return the file with a credential that tells of these actions."""
        import c2pa

        manifest: dict[str, Any] = {
            "claim_version": claim_version,
            "claim_generator_info": [{"name": "Test Program", "version": "1"}],
            "assertions": [{"label": "c2pa.actions", "data": {"actions": actions}}],
        }
        settings = {"verify": {"verify_after_sign": False}, "builder": {"thumbnail": {"enabled": False}}}
        builder = c2pa.Builder(manifest, context=c2pa.Context.from_dict(settings))
        if parent:
            ingredient = {"title": "parent", "relationship": "parentOf", "instance_id": "parent"}
            builder.add_ingredient(ingredient, MIME[kind], io.BytesIO(parent))
        signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", self.chain, self.key, None))
        out = io.BytesIO()
        builder.sign(signer, MIME[kind], io.BytesIO(data), out)
        return out.getvalue()


def created(term: str, agent: str = "GenX") -> list[dict[str, Any]]:
    return [{"action": "c2pa.created", "softwareAgent": {"name": agent}, "digitalSourceType": TYPES + term}]


def trusted(found: Provenance) -> set[bool]:
    return {source.trusted for source in found.sources if source.kind == "c2pa"}
