//! Authorities, what they sign, and both sides' configurations.

use pierhead_agent::{client_config, server_config};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, ServerConfig};
use std::sync::Arc;

/// The name in controllers' certificates.
pub const CONTROLLER: &str = "controller.test";

/// One that signs.
pub struct Authority {
    pub certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
pub struct Signed {
    pub certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Signed {
    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.clone()).into()
    }
}

impl Authority {
    pub fn new() -> Self {
        let mut params = named("authority", &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    pub fn controller(&self, name: &str) -> Signed {
        self.sign(named("controller", &[name]), ExtendedKeyUsagePurpose::ServerAuth)
    }

    pub fn host(&self, name: &str) -> Signed {
        self.sign(named(name, &[]), ExtendedKeyUsagePurpose::ClientAuth)
    }

    pub fn expired_host(&self) -> Signed {
        let mut params = named("host", &[]);
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        self.sign(params, ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// The agent's configuration, trusting this authority.
    pub fn for_agent(&self, host: &Signed) -> Arc<ClientConfig> {
        Arc::new(client_config(self.certificate.clone(), vec![host.certificate.clone()], host.key()).unwrap())
    }

    /// The controller's configuration, trusting this authority.
    pub fn for_controller(&self, controller: &Signed) -> Arc<ServerConfig> {
        let chain = vec![controller.certificate.clone()];
        Arc::new(server_config(self.certificate.clone(), chain, controller.key()).unwrap())
    }

    fn sign(&self, mut params: CertificateParams, purpose: ExtendedKeyUsagePurpose) -> Signed {
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        Signed { certificate, key: key.serialize_der() }
    }
}

fn named(name: &str, names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new(names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
