//! `doorcode audit …`: verify the audit log, erase personal data, recover a restored log.

use super::{Outcome, as_operator, explain, print, user, uses};
use clap::{Subcommand, ValueEnum};
use doorcode::app::audit::recover::{self, Recovered, Revoking};
use doorcode::app::audit::verify::{self, Verified};
use doorcode::app::audit::{self, Evidence, retain};
use doorcode::domain::audit::chain::Head;
use doorcode::domain::audit::checkpoint;
use doorcode::domain::audit::discrepancy::{Discrepancy, Report};
use doorcode::domain::audit::export;
use doorcode::domain::audit::note::VerifierKey;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// `doorcode audit …`.
#[derive(Subcommand)]
pub enum Audit {
    /// Verify the audit log, or an export of it; exit with 1 on any discrepancy
    Verify {
        /// Verify this export instead of the database
        #[arg(long, value_name = "FILE")]
        export: Option<PathBuf>,
        /// Published checkpoints to verify against
        #[arg(long, value_name = "FILE")]
        checkpoints: Option<PathBuf>,
        /// A trusted signing key, as `doorcode audit keys` prints it; can be repeated. For the
        /// database, the keys that this server trusts are added
        #[arg(long = "key", value_name = "KEY", value_parser = key)]
        keys: Vec<VerifierKey>,
    },
    /// Erase a user's personal data from the log: addresses, user agents, names of tokens and
    /// devices; the log can still be verified
    Erase {
        /// The user's email address
        #[arg(long)]
        email: String,
    },
    /// Print the current and previous keys that sign checkpoints, the current one last
    Keys,
    /// Trust a previous signing key that this server does not know
    Trust {
        /// The key, as `doorcode audit keys` printed it while it was in use; keys named in the
        /// log are no proof
        #[arg(value_parser = key)]
        key: VerifierKey,
    },
    /// List the latest uses of a token
    Uses(uses::Uses),
    /// Continue with a log that contradicts its checkpoints or its shipped records: a restored
    /// or truncated copy
    Recover {
        /// Which tokens to revoke
        #[arg(long, value_enum)]
        revoke: Revoke,
    },
}

/// Which tokens a recovery revokes.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Revoke {
    /// Tokens issued after the last checkpoint that agrees
    Since,
    /// All tokens: the copy may contain revoked tokens as active
    All,
    /// No tokens
    Nothing,
}

fn key(text: &str) -> Result<VerifierKey, String> {
    VerifierKey::parse(text)
        .ok_or_else(|| "this is not a signing key; copy one from `doorcode audit keys`".to_owned())
}

/// Runs a server command of `doorcode audit`.
pub fn run(config: Option<&Path>, command: Audit) -> Outcome {
    match command {
        Audit::Verify {
            export: Some(export),
            checkpoints,
            keys,
        } => {
            let report = verify_export(&export, checkpoints.as_deref(), &keys)?;
            let mut more = String::new();
            if report.start > 0 {
                more += &format!(
                    "The export starts after record {}. It does not contain earlier records.\n",
                    report.start
                );
            }
            if let Some(erased) = report.unnamed {
                more += &format!(
                    "Personal data was erased from record {erased}, and no signed part of this \
                     export names the erasure.\n"
                );
            }
            tell(&report, &more)
        }
        Audit::Verify {
            checkpoints, keys, ..
        } => {
            let Verified {
                report,
                uses,
                unknown,
            } = as_operator(config, async |req| {
                let more = Evidence {
                    checkpoints: checkpoints.as_deref(),
                    keys: &keys,
                };
                let bar = ProgressBar::no_length()
                    .with_style(style("{human_pos} of {human_len} records")?);
                let verified = verify::verify(&req.app, more, |done, all| {
                    bar.set_length(all.max(done));
                    bar.set_position(done);
                })
                .await;
                bar.finish_and_clear();
                let verified = verified?;
                verify::record(req, &verified).await?;
                Ok(verified)
            })?;
            let mut more = format!("Token uses: {}.\n", HumanCount(uses));
            if report.start > 0 {
                more += &format!(
                    "Pruned records, confirmed by a signature: {}.\n",
                    HumanCount(report.start)
                );
            }
            if unknown > 0 {
                more += &format!(
                    "Checkpoints ignored: {unknown}. Their signing key is not trusted. If you know \
                     the key, pass it with --key, or trust it permanently with \
                     `doorcode audit trust`.\n"
                );
            }
            tell(&report, &more)
        }
        Audit::Erase { email } => {
            let erased = user::on(config, email, async |req, named| {
                retain::erase(req, named).await
            })?;
            print(&format!(
                "Records erased: {erased}. The log names them and can still be verified."
            ))
        }
        Audit::Keys => {
            let keys = as_operator(config, async |req| audit::keys(&req.app).await)?;
            let lines: Vec<_> = keys.iter().map(ToString::to_string).collect();
            print(&lines.join("\n"))
        }
        Audit::Trust { key } => {
            as_operator(config, async |req| recover::trust(req, key).await)?;
            print("The key is trusted from now on. The audit log records this.")
        }
        Audit::Uses(command) => uses::run(config, command),
        Audit::Recover { revoke } => {
            let revoking = match revoke {
                Revoke::Since => Revoking::Since,
                Revoke::All => Revoking::All,
                Revoke::Nothing => Revoking::Nothing,
            };
            let recovered = as_operator(config, async |req| recover::recover(req, revoking).await)?;
            print(&describe(&recovered))
        }
    }
}

fn style(text: &str) -> Result<ProgressStyle, doorcode::app::Error> {
    ProgressStyle::with_template(&format!("{{bar:32}} {text}, {{eta}} left"))
        .map_err(|error| doorcode::app::Error::Outside(error.to_string()))
}

fn verify_export(path: &Path, checkpoints: Option<&Path>, keys: &[VerifierKey]) -> Outcome<Report> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |error: &dyn std::fmt::Display| format!("{path}: {error}")
    };
    if checkpoints.is_some() && keys.is_empty() {
        return Err(
            "--checkpoints needs --key, the key that signed them. Print it on the server with \
             `doorcode audit keys`."
                .into(),
        );
    }
    let file = File::open(path).map_err(|error| failed(path)(&error))?;
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    let bar = ProgressBar::new(length).with_style(
        style("{binary_bytes} of {binary_total_bytes}").map_err(|error| explain(&error))?,
    );
    let reader = BufReader::new(bar.wrap_read(file));
    let report = match checkpoints {
        None => export::verify(reader, std::iter::empty(), keys),
        Some(kept) => {
            let kept = File::open(kept).map_err(|error| failed(kept)(&error))?;
            let notes = checkpoint::read_file(BufReader::new(kept), keys);
            export::verify(reader, notes, keys)
        }
    };
    bar.finish_and_clear();
    Ok(report.map_err(|error| failed(path)(&error))?)
}

/// Prints the result of a verification.
fn tell(report: &Report, more: &str) -> Outcome {
    let Head { sequence, hash } = report.head;
    if let Some(Discrepancy {
        sequence: at,
        kind,
        says,
    }) = &report.first_discrepancy
    {
        let kind = kind.as_str();
        return Err(format!(
            "the audit log has a discrepancy at record {at}: {kind}.\n{says}\n\
             It is valid up to record {sequence} with the hash {hash}."
        )
        .into());
    }
    let (records, checkpoints) = (HumanCount(report.records), HumanCount(report.checkpoints));
    print(&format!(
        "The audit log is valid.\nRecords: {records}.\nMatching checkpoints: {checkpoints}.\n{more}\
         The last record is {sequence}, with the hash {hash}."
    ))
}

fn describe(recovered: &Recovered) -> String {
    let Recovered {
        discrepancy,
        revoked,
        moved,
    } = recovered;
    let mut text = format!(
        "{}\nThe log records this and continues from there.",
        discrepancy.says
    );
    if let Some(path) = moved {
        text += &format!(
            "\nThe previous checkpoints are in {}. Keep them.",
            path.display()
        );
    }
    text + &format!("\nTokens revoked: {revoked}.")
}
