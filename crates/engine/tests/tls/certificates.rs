//! Authorities and what they sign.

use pierhead_engine::Tls;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// One that signs.
pub struct Authority {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
pub struct Signed {
    pub pem: String,
    pub key: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = named(name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        Self { pem: params.self_signed(&key).unwrap().pem(), issuer: Issuer::new(params, key) }
    }

    /// A certificate of an engine that answers under these names.
    pub fn server(&self, names: &[&str]) -> Signed {
        self.sign(named("engine", names), ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// The same, of long ago.
    pub fn expired_server(&self, names: &[&str]) -> Signed {
        self.sign(long_ago(named("engine", names)), ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate of ours.
    pub fn client(&self) -> Signed {
        self.sign(named("pierhead", &[]), ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// The same, of long ago.
    pub fn expired_client(&self) -> Signed {
        self.sign(long_ago(named("pierhead", &[])), ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// The way to an engine whose certificate this authority signed.
    pub fn trusted_by(&self, client: &Signed) -> Tls {
        Tls { ca_pem: self.pem.clone(), certificate_pem: client.pem.clone(), key_pem: client.key.clone() }
    }

    fn sign(&self, mut params: CertificateParams, purpose: ExtendedKeyUsagePurpose) -> Signed {
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        Signed { pem: params.signed_by(&key, &self.issuer).unwrap().pem(), key: key.serialize_pem() }
    }
}

fn named(name: &str, names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn long_ago(mut params: CertificateParams) -> CertificateParams {
    params.not_before = date_time_ymd(2019, 1, 1);
    params.not_after = date_time_ymd(2020, 1, 1);
    params
}
