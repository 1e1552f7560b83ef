//! Which certificate a management controller may show.

use std::sync::Arc;

use meetme_agent::AgentError;
use reqwest::{Certificate, ClientBuilder};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use sha2::{Digest as _, Sha256};

use crate::Settings;

/// Lets a client trust what the settings say.
pub(crate) fn trusting(builder: ClientBuilder, settings: &Settings) -> Result<ClientBuilder, AgentError> {
    if let Some(text) = &settings.certificate_sha256 {
        let pinned = fingerprint(text)
            .ok_or_else(|| AgentError::refused("certificate_sha256 is not 64 hexadecimal digits.".to_owned()))?;
        let provider = Arc::new(ring::default_provider());
        let verifier = Arc::new(Pinned { pinned, provider: Arc::clone(&provider) });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| AgentError::broken(e.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        return Ok(builder.tls_backend_preconfigured(config));
    }
    if let Some(pem) = &settings.authorities {
        let trusted = Certificate::from_pem_bundle(pem.as_bytes()).ok().filter(|all| !all.is_empty());
        let trusted = trusted.ok_or_else(|| AgentError::refused("authorities holds no certificate.".to_owned()))?;
        return Ok(builder.tls_certs_only(trusted));
    }
    Ok(builder.tls_danger_accept_invalid_certs(settings.accept_any_certificate))
}

fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: String = text.chars().filter(|c| *c != ':').collect();
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    let mut out = [0; 32];
    for (i, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(out)
}

/// Takes one certificate and no other, whatever name and dates it bears. That whoever shows it has its key is still proved.
#[derive(Debug)]
struct Pinned {
    pinned: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let is: [u8; 32] = Sha256::digest(shown).into();
        if is == self.pinned {
            return Ok(ServerCertVerified::assertion());
        }
        let digits: String = is.iter().map(|byte| format!("{byte:02x}")).collect();
        Err(Error::General(format!("the certificate shown has the SHA-256 {digits}, which is not the one expected")))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, shown, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, shown, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_with_and_without_colons() {
        let plain = "0a".repeat(32);
        let colons = ["0A"; 32].join(":");
        assert_eq!(fingerprint(&plain), Some([10; 32]));
        assert_eq!(fingerprint(&colons), Some([10; 32]));
        for bad in ["", "0a", &"0g".repeat(32), &"0a".repeat(33), &"é".repeat(32)] {
            assert_eq!(fingerprint(bad), None, "{bad}");
        }
    }
}
