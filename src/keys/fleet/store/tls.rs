//! TLS to a store: the server's certificate is always verified, with its name.

use super::failed::Failed;
use super::{Access, StoreError};

#[cfg(feature = "tls")]
pub(super) use with::{Secured, Tls};
#[cfg(not(feature = "tls"))]
pub(super) use without::{Secured, Tls};

#[cfg(feature = "tls")]
mod with {
    use std::io::{self, Read, Write};
    use std::path::Path;

    use openssl::error::ErrorStack;
    use openssl::ssl::{
        HandshakeError, SslConnector, SslFiletype, SslMethod, SslStream, SslVersion,
    };
    use openssl::x509::X509VerifyResult;

    use super::super::wire::Socket;
    use super::{Access, Failed, StoreError};

    /// How to secure a connection.
    pub(in super::super) struct Tls(Access);

    /// A secured one.
    pub(in super::super) struct Secured(SslStream<Socket>);

    impl Tls {
        /// With the files of this access, which are read at every connection: they are renewed.
        pub(in super::super) fn new(_: &str, access: &Access) -> Result<Self, StoreError> {
            Ok(Self(access.clone()))
        }

        /// Agrees on keys with a server of this name.
        pub(in super::super) fn secure(
            &self,
            host: &str,
            socket: Socket,
        ) -> Result<Secured, Failed> {
            let connector = self.connector()?;
            let handshake = match connector.connect(host, socket) {
                Ok(stream) => return Ok(Secured(stream)),
                Err(failed) => failed,
            };
            match handshake {
                HandshakeError::SetupFailure(why) => Err(Failed::Lost(format!("TLS: {why}"))),
                HandshakeError::Failure(stream) | HandshakeError::WouldBlock(stream) => {
                    let verified = stream.ssl().verify_result();
                    if verified != X509VerifyResult::OK {
                        let why = verified.error_string();
                        return Err(Failed::Garbled(format!("its certificate: {why}")));
                    }
                    let why = stream.error();
                    let why = why
                        .io_error()
                        .map_or_else(|| why.to_string(), io::Error::to_string);
                    Err(Failed::Lost(format!("TLS: {why}")))
                }
            }
        }

        fn connector(&self) -> Result<SslConnector, Failed> {
            let failed = |why: ErrorStack| Failed::Lost(format!("TLS: {why}"));
            let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(failed)?;
            builder
                .set_min_proto_version(Some(SslVersion::TLS1_2))
                .map_err(failed)?;
            if let Some(path) = &self.0.authorities {
                // Only these: what the system trusts does not vouch for a private server.
                let store = openssl::x509::store::X509StoreBuilder::new().map_err(failed)?;
                builder.set_cert_store(store.build());
                builder
                    .set_ca_file(path)
                    .map_err(|why| unusable(path, &why))?;
            }
            if let Some((certificate, key)) = &self.0.identity {
                builder
                    .set_certificate_chain_file(certificate)
                    .map_err(|why| unusable(certificate, &why))?;
                builder
                    .set_private_key_file(key, SslFiletype::PEM)
                    .map_err(|why| unusable(key, &why))?;
            }
            Ok(builder.build())
        }
    }

    fn unusable(path: &Path, why: &ErrorStack) -> Failed {
        Failed::Own(StoreError::File {
            path: path.to_owned(),
            why: why.to_string(),
        })
    }

    impl Secured {
        pub(in super::super) fn socket(&mut self) -> &mut Socket {
            self.0.get_mut()
        }
    }

    impl Read for Secured {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            self.0.read(bytes)
        }
    }

    impl Write for Secured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.0.flush()
        }
    }
}

#[cfg(not(feature = "tls"))]
mod without {
    use std::io::{self, Read, Write};

    use super::super::wire::Socket;
    use super::{Access, Failed, StoreError};

    /// There is none.
    pub(in super::super) enum Tls {}

    /// There is none.
    pub(in super::super) enum Secured {}

    impl Tls {
        pub(in super::super) fn new(store: &str, _: &Access) -> Result<Self, StoreError> {
            Err(StoreError::Unable {
                store: store.to_owned(),
                what: "be reached by TLS: this program was built without it",
            })
        }

        pub(in super::super) fn secure(&self, _: &str, _: Socket) -> Result<Secured, Failed> {
            match *self {}
        }
    }

    impl Secured {
        pub(in super::super) fn socket(&mut self) -> &mut Socket {
            match *self {}
        }
    }

    impl Read for Secured {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            match *self {}
        }
    }

    impl Write for Secured {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            match *self {}
        }

        fn flush(&mut self) -> io::Result<()> {
            match *self {}
        }
    }
}
