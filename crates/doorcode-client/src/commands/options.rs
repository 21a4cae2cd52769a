//! The options that all client commands share.

use std::path::PathBuf;

use crate::host::Host;
use crate::profile::Profile;
use crate::settings::Flags;

/// The options that all client commands share.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ClientOptions {
    /// Print the result as JSON on standard output; everything else goes to standard error
    #[arg(long)]
    pub json: bool,
    /// Use this profile of the credentials file [env: DOORCODE_PROFILE]
    #[arg(long, value_name = "NAME", value_parser = Profile::parse)]
    pub profile: Option<Profile>,
    /// The server's address, such as https://auth.example.com [env: DOORCODE_HOST]
    #[arg(long, value_name = "URL", value_parser = Host::parse)]
    pub host: Option<Host>,
    /// Allow http:// to another machine: the token is then sent without encryption
    #[arg(long)]
    pub allow_http: bool,
    /// Also trust the certificates of this PEM file, such as the authority of a company; the
    /// environment variable SSL_CERT_FILE replaces those of the system
    #[arg(long, value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,
}

impl ClientOptions {
    /// The flags that select server, profile and token.
    pub fn flags(&self) -> Flags {
        Flags {
            profile: self.profile.clone(),
            host: self.host.clone(),
            project: None,
            allow_http: self.allow_http,
            ca_cert: self.ca_cert.clone(),
        }
    }
}
