//! The pool's own certificate authority: made once, its key sealed in the store, and what it signs.
//!
//! Keys that it makes for others are handed out and never kept. Who gets a certificate is the caller's decision.

use crate::{Clock, keys};
use pierhead_model::Timestamp;
use pierhead_store::seal::Sealer;
use pierhead_store::{Error, Store, StoreJson, Transaction};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm, date_time_ymd,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// How long the authority itself is good: ten years.
const LIFE: Duration = Duration::from_secs(3650 * DAY_S);
/// How much earlier than now certificates begin, for those whose clock is behind.
const LEEWAY: Duration = Duration::from_secs(DAY_S);
const DAY_S: u64 = 24 * 3600;
/// What the sealed key is bound to.
const SEALED_AS: &str = "authority/key";

/// The authority, able to sign.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_pem: String,
    certificate_der: Vec<u8>,
}

/// The record: everything but the key is public.
#[derive(Serialize, Deserialize)]
struct Record {
    /// The common name; with the key it is all that signing needs.
    name: String,
    certificate_pem: String,
    certificate_der: Vec<u8>,
    sealed_key: String,
}

/// A certificate and its key, which exists nowhere else.
pub struct Issued {
    /// The certificate, then the authority's, each as DER.
    pub chain: Vec<Vec<u8>>,
    /// The private key: PKCS#8, DER.
    pub key: Vec<u8>,
    /// From when on it should be replaced: two thirds of its life.
    pub renew_at: Timestamp,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").field("renew_at", &self.renew_at).finish_non_exhaustive()
    }
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The record cannot be read or written, or its key cannot be opened.
    #[error("the record of the certificate authority cannot be used")]
    Record(#[from] Error),
    /// A key or certificate cannot be made, or the record's key is none.
    #[error("the certificate cannot be signed")]
    Sign(#[from] rcgen::Error),
}

impl Authority {
    /// The authority of a store, which is made if there is none yet.
    ///
    /// # Errors
    /// [`AuthorityError`].
    pub async fn open_or_create(store: &dyn Store, sealer: &Sealer, clock: Clock) -> Result<Self, AuthorityError> {
        loop {
            if let Some((record, _)) = store.get_json::<Record>(keys::AUTHORITY).await? {
                return Self::open(record, sealer);
            }
            let record = create(&format!("Pierhead {}", store.cluster_id()), sealer, clock.now())?;
            let first = Transaction::new().absent(keys::AUTHORITY).put_json(keys::AUTHORITY, &record)?;
            match store.commit(first).await {
                // Read back, or that of another controller which was first.
                Ok(_) | Err(Error::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn open(record: Record, sealer: &Sealer) -> Result<Self, AuthorityError> {
        let key = KeyPair::try_from(sealer.open(SEALED_AS, &record.sealed_key)?)?;
        Ok(Self {
            issuer: Issuer::new(params_of_authority(&record.name)?, key),
            certificate_pem: record.certificate_pem,
            certificate_der: record.certificate_der,
        })
    }

    /// Its certificate, PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// SHA-256 of its certificate, 64 hexadecimal digits: what people compare.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.certificate_der)
    }

    /// A certificate (DER) for a client, named after what it is, of a key that it keeps to itself: a point of P-256,
    /// uncompressed. Whoever asks has shown to have the private half.
    ///
    /// # Errors
    /// [`AuthorityError::Sign`].
    pub fn issue_client(
        &self,
        public_key: &[u8],
        name: &str,
        now: Timestamp,
        life: Duration,
    ) -> Result<Vec<u8>, AuthorityError> {
        let mut params = CertificateParams::new(Vec::<String>::new())?;
        params.distinguished_name = common_name(name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        set_life(&mut params, now, life);
        let certificate = params.signed_by(&PublicKey(public_key), &self.issuer)?;
        Ok(certificate.der().to_vec())
    }

    /// Its certificate, DER.
    #[must_use]
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate_der
    }

    /// A certificate for a server that answers under these names and addresses.
    ///
    /// # Errors
    /// [`AuthorityError::Sign`], also for a name that cannot stand in a certificate.
    pub fn issue_server(&self, names: &[String], now: Timestamp, life: Duration) -> Result<Issued, AuthorityError> {
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = common_name("Pierhead controller");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        set_life(&mut params, now, life);
        let key = KeyPair::generate()?;
        let certificate: Certificate = params.signed_by(&key, &self.issuer)?;
        let two_thirds = u64::try_from(life.as_millis() * 2 / 3).unwrap_or(u64::MAX);
        Ok(Issued {
            chain: vec![certificate.der().to_vec(), self.certificate_der.clone()],
            key: key.serialize_der(),
            renew_at: now.plus(two_thirds),
        })
    }
}

/// Somebody else's public key.
struct PublicKey<'a>(&'a [u8]);

impl PublicKeyData for PublicKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// SHA-256 of a certificate (DER), 64 hexadecimal digits.
#[must_use]
pub fn fingerprint(certificate: &[u8]) -> String {
    Sha256::digest(certificate).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn create(name: &str, sealer: &Sealer, now: Timestamp) -> Result<Record, AuthorityError> {
    let mut params = params_of_authority(name)?;
    set_life(&mut params, now, LIFE);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok(Record {
        name: name.to_owned(),
        certificate_pem: certificate.pem(),
        certificate_der: certificate.der().to_vec(),
        sealed_key: sealer.seal(SEALED_AS, key.serialized_der())?,
    })
}

fn params_of_authority(name: &str) -> Result<CertificateParams, AuthorityError> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.distinguished_name = common_name(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn common_name(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn set_life(params: &mut CertificateParams, now: Timestamp, life: Duration) {
    let now = date_time_ymd(1970, 1, 1) + Duration::from_millis(now.0);
    params.not_before = now - LEEWAY;
    params.not_after = now + life;
}

#[cfg(test)]
mod tests;
