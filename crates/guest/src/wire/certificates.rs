//! The certificates document: the tenant's key, encrypted to the VM's transport
//! certificate.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::WireError;
use super::xml::{Element, escape};

const DOCUMENT: &str = "the certificates document";

/// `GET` of the goal state's certificates address.
///
/// The request carries the transport certificate in
/// `x-ms-guest-agent-public-x509-cert` (base64 of the PEM body without line ends)
/// and the wanted cipher in `x-ms-cipher-name`, see [`crate::envelope::Cipher::name`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificates {
    /// The goal state's incarnation.
    pub incarnation: String,
    /// DER of a CMS EnvelopedData for the transport certificate. Its content is a
    /// PKCS#12 file with an empty password. `None`: the VM has no certificates.
    pub data: Option<Vec<u8>>,
}

impl Certificates {
    /// The document's text.
    pub fn to_xml(&self) -> String {
        let data = self
            .data
            .as_deref()
            .map(|der| {
                // Some versions of openssl refuse base64 lines beyond 1 KiB.
                let text = STANDARD.encode(der);
                let lines: Vec<&str> = text
                    .as_bytes()
                    .chunks(64)
                    .filter_map(|line| std::str::from_utf8(line).ok())
                    .collect();
                format!(
                    "<Format>Pkcs7BlobWithPfxContents</Format><Data>{}\n</Data>",
                    lines.join("\n")
                )
            })
            .unwrap_or_default();
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<CertificateFile>\
             <Version>{version}</Version><Incarnation>{incarnation}</Incarnation>{data}\
             </CertificateFile>",
            version = super::VERSION,
            incarnation = escape(&self.incarnation),
        )
    }

    /// Reads the document. Data in another format than a PFX blob is an error.
    pub fn parse(text: &str) -> Result<Certificates, WireError> {
        let root = Element::parse(DOCUMENT, text)?;
        let incarnation = root.text_at(&["Incarnation"]).unwrap_or_default().to_owned();
        let Some(data) = root.text_at(&["Data"]) else {
            return Ok(Certificates { incarnation, data: None });
        };
        if let Some(format) = root.text_at(&["Format"])
            && format != "Pkcs7BlobWithPfxContents"
        {
            return Err(WireError::Value {
                document: DOCUMENT,
                part: "Format",
                value: format.to_owned(),
            });
        }
        let packed: String = data.split_whitespace().collect();
        let data = STANDARD
            .decode(packed)
            .map_err(|source| WireError::Base64 { document: DOCUMENT, source })?;
        Ok(Certificates { incarnation, data: Some(data) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_read_back() {
        for data in [None, Some(vec![0x5a; 3000])] {
            let certificates = Certificates { incarnation: "3".into(), data };
            let text = certificates.to_xml();
            assert!(
                text.lines().skip(2).all(|line| line.len() <= 64 || line.contains('<'))
            );
            assert_eq!(Certificates::parse(&text).expect("own text"), certificates);
        }
    }
}
