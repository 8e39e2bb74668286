//! The certificate that a name answers with, whatever it is worth.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use super::BOUNDS;
use crate::feed::hex;
use crate::guard::Guard;
use crate::protocol::{Certificate, Failure, Outcome, Why};

/// Names that are told, at most.
const NAMES: usize = 100;

/// Verifies as usual, notes what came of it, and goes on: the certificate itself is the evidence. Used for nothing but looking at it.
#[derive(Debug)]
struct Witness {
    usual: Arc<WebPkiServerVerifier>,
    noted: Mutex<Option<rustls::Error>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        *self.noted.lock().unwrap_or_else(PoisonError::into_inner) = verified.err();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Connects to port 443 and looks.
pub(super) async fn shown(guard: &Guard, host: &str) -> Result<Certificate, Failure> {
    let clock = BOUNDS.start();
    let target = guard.target(&format!("https://{host}/"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let usual = WebPkiServerVerifier::builder_with_provider(guard.roots(), provider).build();
    let usual = usual.map_err(|error| Failure::new(Why::Tls, error))?;
    let witness = Arc::new(Witness { usual, noted: Mutex::new(None) });
    let config = guard.tls_with(witness.clone())?.with_no_client_auth();
    let stream = guard.connect(&target, &clock).await?;
    let stream = guard.secure(stream, &target, &clock, Arc::new(config)).await?;
    let session = stream.get_ref().1;
    let first = session.peer_certificates().and_then(|chain| chain.first());
    let first = first.ok_or_else(|| Failure::new(Why::Tls, format_args!("{host} shows no certificate")))?;
    let mut certificate = read(first).map_err(|failure| failure.at(host))?;
    certificate.protocol = session.protocol_version().map(|version| format!("{version:?}")).unwrap_or_default();
    if let Some(error) = witness.noted.lock().unwrap_or_else(PoisonError::into_inner).take() {
        certificate.verified = Outcome::Failed(Failure::new(Why::Tls, error));
    }
    Ok(certificate)
}

fn read(der: &[u8]) -> Result<Certificate, Failure> {
    let (_, parsed) =
        parse_x509_certificate(der).map_err(|error| Failure::new(Why::Unreadable, format_args!("certificate: {error}")))?;
    let names = parsed.subject_alternative_name().ok().flatten();
    let names: Vec<String> = names
        .iter()
        .flat_map(|extension| &extension.value.general_names)
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_ascii_lowercase()),
            _ => None,
        })
        .collect();
    Ok(Certificate {
        subject: parsed.subject().to_string(),
        issuer: parsed.issuer().to_string(),
        names_in_all: names.len(),
        names: names.into_iter().take(NAMES).collect(),
        not_before: parsed.validity().not_before.timestamp(),
        not_after: parsed.validity().not_after.timestamp(),
        sha256: hex(ring::digest::digest(&ring::digest::SHA256, der).as_ref()),
        verified: Outcome::Ok(()),
        protocol: String::new(),
    })
}
