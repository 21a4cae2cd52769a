//! The environment variables of the client.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::branding::Branding;
use crate::credentials::Layout;
use crate::error::Error;
use domain::secret::Secret;

/// The environment variables of the client. An empty variable counts as not set.
#[derive(Debug)]
pub struct Environment {
    pub(super) branding: Branding,
    pub(super) token: Option<Secret>,
    pub(super) host: Option<String>,
    pub(super) profile: Option<String>,
    pub(super) project: Option<String>,
    pub(super) layout: Option<Layout>,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process(branding: &Branding) -> Result<Self, Error> {
        Self::read(
            branding,
            |name| std::env::var_os(name),
            std::env::home_dir(),
        )
    }

    pub(super) fn read(
        branding: &Branding,
        variable: impl Fn(&str) -> Option<OsString>,
        home: Option<PathBuf>,
    ) -> Result<Self, Error> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let own = |name| set(&branding.variable(name));
        let text = |name| {
            own(name)
                .map(|value| {
                    value.into_string().map_err(|_| {
                        Error::Usage(format!("{} is not valid UTF-8.", branding.variable(name)))
                    })
                })
                .transpose()
        };
        let configuration = set("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            // The XDG specification requires relative paths to be ignored.
            .filter(|path| path.is_absolute())
            .or_else(|| {
                home.filter(|home| !home.as_os_str().is_empty())
                    .map(|home| home.join(".config"))
            });
        let path = own("CONFIG").map(PathBuf::from).or_else(|| {
            configuration.map(|path| {
                let folder = path.join(branding.folder());
                folder.join(&branding.files.credentials)
            })
        });
        Ok(Self {
            branding: branding.clone(),
            token: text("TOKEN")?.map(|text| Secret::new(text.trim())),
            host: text("HOST")?,
            profile: text("PROFILE")?,
            project: text("PROJECT")?,
            layout: path.map(|path| branding.layout(path)),
        })
    }
}
