//! The certificate and what TLS is spoken with it.

use std::{path::Path, sync::Arc};

use rustls::{
    ServerConfig as RustlsConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
};
use tokio_rustls::TlsAcceptor;

use crate::{Fault, TlsConfig};

/// What accepts TLS connections, and the certificate in PEM when it was made here: clients must be told to trust it.
pub(crate) fn acceptor(config: &TlsConfig) -> Result<(TlsAcceptor, Option<String>), Fault> {
    let (chain, key, pem) = match (&config.certificate, &config.key) {
        (Some(certificate), Some(key)) if config.self_signed.is_empty() => (chain(certificate)?, private(key)?, None),
        (None, None) if !config.self_signed.is_empty() => self_signed(&config.self_signed)?,
        _ => return Err(Fault::Certificate("tls needs either certificate and key, or self_signed".to_owned())),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = RustlsConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| Fault::Certificate(error.to_string()))?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(tls)), pem))
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match found {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(unreadable(path, &"it has no certificate in it")),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn private(path: &Path) -> Result<PrivateKeyDer<'static>, Fault> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> Fault {
    Fault::Certificate(format!("{}: {why}", path.display()))
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>, Option<String>);

fn self_signed(names: &[String]) -> Result<Identity, Fault> {
    let made =
        rcgen::generate_simple_self_signed(names.to_vec()).map_err(|error| Fault::Certificate(error.to_string()))?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    Ok((vec![made.cert.der().clone()], key.into(), Some(made.cert.pem())))
}
