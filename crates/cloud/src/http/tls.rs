//! TLS: an authority of its own, and a fresh leaf for every start.
//!
//! The authority (`ca.pem`, `ca.key`) is made once per state directory, so that
//! clients which trust it keep doing so. The leaf never touches the disk.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::Error;
use crate::state::State;

/// The server's side of TLS, for 127.0.0.1, ::1 and localhost.
pub(super) fn config(state: &State) -> Result<ServerConfig, Error> {
    let issuer = authority(state)?;
    let key = KeyPair::generate().map_err(unmade)?;
    let mut leaf =
        CertificateParams::new(vec!["localhost".to_owned()]).map_err(unmade)?;
    for address in ["127.0.0.1", "::1"] {
        let address: IpAddr = address.parse().expect("it is an address");
        leaf.subject_alt_names.push(SanType::IpAddress(address));
    }
    leaf.distinguished_name.push(DnType::CommonName, "regain cloud");
    leaf.use_authority_key_identifier_extension = true;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    valid_for_years(&mut leaf, 2);
    let certificate = leaf.signed_by(&key, &issuer).map_err(unmade)?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));

    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unmade)?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .map_err(unmade)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The authority of this state directory, made at first use.
fn authority(state: &State) -> Result<Issuer<'static, KeyPair>, Error> {
    let damaged = |source: rcgen::Error| Error::Damaged {
        path: state.path().join("ca.pem"),
        source: source.into(),
    };
    if let (Some(pem), Some(key)) = (state.read("ca.pem")?, state.read("ca.key")?) {
        let key = KeyPair::from_pem(&String::from_utf8_lossy(&key)).map_err(damaged)?;
        return Issuer::from_ca_cert_pem(&String::from_utf8_lossy(&pem), key)
            .map_err(damaged);
    }
    let key = KeyPair::generate().map_err(unmade)?;
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "regain local cloud");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid_for_years(&mut authority, 10);
    let certificate = authority.self_signed(&key).map_err(unmade)?;
    state.write("ca.key", key.serialize_pem().as_bytes())?;
    state.write("ca.pem", certificate.pem().as_bytes())?;
    Ok(Issuer::new(authority, key))
}

/// From the first of last year, whatever this host's clock is off by.
fn valid_for_years(certificate: &mut CertificateParams, years: i32) {
    let year = i32::from(jiff::Zoned::now().year());
    certificate.not_before = date_time_ymd(year - 1, 1, 1);
    certificate.not_after = date_time_ymd(year + years, 1, 1);
}

fn unmade(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Certificate(error.into())
}
