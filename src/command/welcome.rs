//! The text after the start of a server: its URL, the created files and the next steps.

use super::{absolute, program};
use doorcode::app::App;
use doorcode::app::tls::ServerCertificate;
use doorcode::config::Tls;
use doorcode::domain::secret::Secret;
use doorcode::web;
use std::path::{Path, PathBuf};

/// The content of the text.
pub struct Welcome<'a> {
    pub app: &'a App,
    /// The files that this start created.
    pub made: &'a [PathBuf],
    /// The link that creates the first user, if there is none.
    pub setup: Option<&'a Secret>,
    pub certificate: Option<&'a ServerCertificate>,
    /// The scope that a sign-in with the built-in client must name.
    pub scope: Option<String>,
}

impl Welcome<'_> {
    pub fn text(&self) -> String {
        let config = self.app.config();
        let url = &config.server.public_url;
        let mut text = format!("\n{} is running at {url}\n", config.branding.name);
        for path in self.made {
            text += &format!(
                "Created {} (only you can read it): {}.\n",
                path.display(),
                self.purpose(path)
            );
        }
        if let Some(certificate) = self.self_signed() {
            text += &format!(
                "\nThe certificate is self-signed. Clients trust it with --ca-cert FILE and a copy \
                 of {}.\nIn a browser, compare its SHA-256 fingerprint before you accept it:\n\n    \
                 {}\n",
                certificate.path().display(),
                certificate.fingerprint()
            );
        }
        if let Some(link) = self.setup {
            let link = url.join(&web::setup_path(link.expose()));
            text += &format!(
                "\nThere are no users yet. Open this link in a browser to create the first one.\n\
                 The link works once:\n\n    {link}\n\n{}",
                self.sign_in()
            );
        }
        text + "\nPress Ctrl-C to stop.\n"
    }

    /// How users sign in from a terminal: with the program that the configuration names, else with
    /// this one, whose client is built in.
    fn sign_in(&self) -> String {
        let config = self.app.config();
        let (url, branding) = (config.server.public_url.as_str(), &config.branding);
        let mut options = match url {
            // The default of the program.
            "http://127.0.0.1:8080" if !branding.has_own_program() => String::new(),
            other => format!(" --host {other}"),
        };
        if let Some(certificate) = self.self_signed() {
            options += &format!(" --ca-cert {}", absolute(certificate.path()));
        }
        if branding.has_own_program() {
            return format!(
                "Register the command-line program of your users with `doorcode client add`. Then \
                 sign in with it\nfrom another terminal:\n\n    {} login{options}\n",
                branding.program
            );
        }
        if let Some(scope) = &self.scope {
            options += &format!(" --scope {scope}");
        }
        format!(
            "Then sign in from another terminal:\n\n    {} login{options}\n",
            program()
        )
    }

    /// The certificate, if the server made it.
    fn self_signed(&self) -> Option<&ServerCertificate> {
        let is_own = self.app.config().server.tls == Tls::SelfSigned;
        self.certificate.filter(|_| is_own)
    }

    fn purpose(&self, path: &Path) -> &'static str {
        let config = self.app.config();
        let certificate = config.server.certificate_files();
        if *path == config.operator.token_file {
            "the operator token, which allows every operation"
        } else if *path == config.audit.signing_key_file {
            "the key that signs the audit log"
        } else if *path == config.server.secret_key_file {
            "the secret key of this deployment"
        } else if certificate.is_some_and(|files| files.key == *path) {
            "the key of the certificate"
        } else {
            "the certificate"
        }
    }
}
