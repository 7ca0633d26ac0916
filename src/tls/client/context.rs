//! OpenSSL's contexts, one for each way of greeting, and what their callbacks note down for a
//! connection: sessions that arrive, and for an alert of one's own the traffic secret.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{
    Ssl, SslContext, SslContextBuilder, SslFiletype, SslMethod, SslOptions, SslSessionCacheMode,
    SslVerifyMode, SslVersion,
};
use zeroize::Zeroizing;

use super::super::{Protocol, Session};
use super::{ClientError, Manner};

/// SSL_OP_LEGACY_SERVER_CONNECT: servers of TLS 1.2 without RFC 5746 are seen too. The crate has
/// no name for it.
const LEGACY_SERVER_CONNECT: u64 = 0x4;

/// What tells contexts apart.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub(super) struct Way {
    pub protocol: Protocol,
    pub tickets: bool,
    /// Only suites whose records can be made here, with the secrets noted.
    pub sealing: bool,
}

/// What the callbacks note for one connection.
#[derive(Default)]
pub(super) struct Notes {
    pub sessions: Vec<Session>,
    pub secret: Option<Zeroizing<Vec<u8>>>,
}

pub(super) type Noted = Arc<Mutex<Notes>>;

/// The contexts of one manner, made when first used.
pub(super) struct Contexts {
    manner: Manner,
    index: Index<Ssl, Noted>,
    made: Mutex<HashMap<Way, SslContext>>,
}

impl Contexts {
    pub(super) fn new(manner: Manner) -> Result<Self, ClientError> {
        let contexts = Self {
            manner,
            index: Ssl::new_ex_index().map_err(ClientError::client)?,
            made: Mutex::default(),
        };
        contexts.checked()
    }

    /// A connection's state that notes down into what is given back.
    pub(super) fn ssl(&self, way: Way) -> Result<(Ssl, Noted), ClientError> {
        let context = {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            match made.get(&way) {
                Some(context) => context.clone(),
                None => {
                    let context = self.build(way).map_err(ClientError::client)?;
                    made.insert(way, context.clone());
                    context
                }
            }
        };
        let mut ssl = Ssl::new(&context).map_err(ClientError::client)?;
        let noted = Noted::default();
        ssl.set_ex_data(self.index, Arc::clone(&noted));
        Ok((ssl, noted))
    }

    /// Shows the client's certificate, if it has one.
    fn identify(&self, builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
        let Some((certificate, key)) = &self.manner.identity else {
            return Ok(());
        };
        builder.set_certificate_chain_file(certificate)?;
        builder.set_private_key_file(key, SslFiletype::PEM)?;
        builder.check_private_key()
    }

    /// Refuses a certificate that cannot be shown, before any connection.
    fn checked(self) -> Result<Self, ClientError> {
        let mut builder =
            SslContext::builder(SslMethod::tls_client()).map_err(ClientError::client)?;
        let (Err(stack), Some((certificate, key))) =
            (self.identify(&mut builder), &self.manner.identity)
        else {
            return Ok(self);
        };
        let reasons = stack.errors().iter();
        let mut reasons = reasons.filter_map(|error| error.reason());
        let why = reasons.next_back().unwrap_or("not readable, or no PEM");
        Err(ClientError::client(format!(
            "the certificate in {} with the key in {}: {why}",
            certificate.display(),
            key.display()
        )))
    }

    fn build(&self, way: Way) -> Result<SslContext, ErrorStack> {
        let mut builder = SslContext::builder(SslMethod::tls_client())?;
        // A probe tells what is there; whether the certificate verifies is part of it.
        builder.set_verify(SslVerifyMode::NONE);
        builder.set_default_verify_paths()?;
        let version = match way.protocol {
            Protocol::Tls12 => SslVersion::TLS1_2,
            Protocol::Tls13 => SslVersion::TLS1_3,
        };
        builder.set_min_proto_version(Some(version))?;
        builder.set_max_proto_version(Some(version))?;
        // The client's own taste must not hide a server.
        builder.set_options(SslOptions::from_bits_retain(LEGACY_SERVER_CONNECT));
        if way.sealing {
            builder.set_cipher_list("AESGCM:@SECLEVEL=0")?;
            builder.set_ciphersuites("TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256")?;
            self.note_secrets(&mut builder, way.protocol);
        } else {
            builder.set_cipher_list("DEFAULT:@SECLEVEL=0")?;
        }
        if !way.tickets {
            builder.set_options(SslOptions::NO_TICKET);
        }
        self.identify(&mut builder)?;
        if !self.manner.alpn.is_empty() {
            let names = self.manner.alpn.iter();
            let wire = names.flat_map(|name| {
                let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
                std::iter::once(length).chain(name.bytes().take(usize::from(length)))
            });
            builder.set_alpn_protos(&wire.collect::<Vec<u8>>())?;
        }
        builder
            .set_session_cache_mode(SslSessionCacheMode::CLIENT | SslSessionCacheMode::NO_INTERNAL);
        let index = self.index;
        builder.set_new_session_callback(move |ssl, session| {
            let der = session.to_der().map(Zeroizing::new);
            let session = der.ok().and_then(|der| Session::from_der(&der).ok());
            if let (Some(noted), Some(session)) = (ssl.ex_data(index), session) {
                let mut notes = noted.lock().unwrap_or_else(PoisonError::into_inner);
                notes.sessions.push(session);
            }
        });
        Ok(builder.build())
    }

    fn note_secrets(&self, builder: &mut SslContextBuilder, protocol: Protocol) {
        let label = match protocol {
            Protocol::Tls12 => "CLIENT_RANDOM",
            Protocol::Tls13 => "CLIENT_TRAFFIC_SECRET_0",
        };
        let index = self.index;
        builder.set_keylog_callback(move |ssl, line| {
            // `LABEL random secret`, in hex digits.
            let mut words = line.split(' ');
            let secret = (words.next() == Some(label))
                .then(|| words.nth(1))
                .flatten();
            if let (Some(noted), Some(secret)) = (ssl.ex_data(index), secret) {
                let mut notes = noted.lock().unwrap_or_else(PoisonError::into_inner);
                notes.secret = unhexed(secret);
            }
        });
    }
}

fn unhexed(digits: &str) -> Option<Zeroizing<Vec<u8>>> {
    let pairs = digits.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    bytes.collect::<Option<Vec<u8>>>().map(Zeroizing::new)
}
