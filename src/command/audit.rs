//! `doorcode audit …`: checking the audit log, and what to do when it went back.

use super::{Outcome, explain, print, with_app};
use clap::{Subcommand, ValueEnum};
use doorcode::app::audit::erasure;
use doorcode::app::audit::recovery::{self, Recovered, Revoking};
use doorcode::app::audit::verification::{self, Evidence, Verified};
use doorcode::app::user::Named;
use doorcode::app::{Context, audit};
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
    /// Check the audit log, or an export of it; exit with 1 on any doubt
    Verify {
        /// An export to check instead of the database
        #[arg(long, value_name = "FILE")]
        export: Option<PathBuf>,
        /// Checkpoints that were kept elsewhere
        #[arg(long, value_name = "FILE")]
        checkpoints: Option<PathBuf>,
        /// A key whose signatures count, as `doorcode audit keys` prints it; give it again for
        /// more. For the database, those that this server knows count too
        #[arg(long = "key", value_name = "KEY", value_parser = key)]
        keys: Vec<VerifierKey>,
    },
    /// Erase from the log what tells of a person: addresses, programs, names of tokens and
    /// devices; the log still proves itself
    Erase {
        /// The person's email address
        #[arg(long)]
        email: String,
    },
    /// Print the keys that sign and have signed checkpoints, the present one last
    Keys,
    /// Let what an earlier key of the log has signed count, where this server does not remember it
    Trust {
        /// The key, as `doorcode audit keys` printed it when it signed; what the log says of keys
        /// proves nothing
        #[arg(value_parser = key)]
        key: VerifierKey,
    },
    /// Go on with a log that contradicts its checkpoints, or what was shipped of it: a restored
    /// copy, or one that was cut
    Recover {
        /// What to revoke
        #[arg(long, value_enum)]
        revoke: Revoke,
    },
    #[command(flatten)]
    Remote(doorcode::cli::Audit),
}

/// What a recovery revokes.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Revoke {
    /// Tokens that were issued after the last checkpoint that agrees
    Since,
    /// All tokens: some that were revoked may live again
    All,
    /// Nothing
    Nothing,
}

fn key(text: &str) -> Result<VerifierKey, String> {
    VerifierKey::parse(text)
        .ok_or_else(|| "this is no key; `doorcode audit keys` prints it".to_owned())
}

/// Runs a command of `doorcode audit` on the server's side.
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
                    "The copy begins behind record {}: what came before is not in it.\n",
                    report.start
                );
            }
            if let Some(erased) = report.unnamed {
                more += &format!(
                    "What tells of a person was erased from record {erased}, and nothing that \
                     counts in this copy says so.\n"
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
            } = with_app(config, async |app| {
                let more = Evidence {
                    checkpoints: checkpoints.as_deref(),
                    keys: &keys,
                };
                let bar = ProgressBar::no_length()
                    .with_style(style("{human_pos} of {human_len} records")?);
                let verified = verification::verify(app, more, |done, all| {
                    bar.set_length(all.max(done));
                    bar.set_position(done);
                })
                .await;
                bar.finish_and_clear();
                let verified = verified?;
                verification::record(app, &Context::local(), &verified).await?;
                Ok(verified)
            })?;
            let mut more = format!("Uses of tokens: {}.\n", HumanCount(uses));
            if report.start > 0 {
                more += &format!(
                    "Records that were taken out before, as is signed: {}.\n",
                    HumanCount(report.start)
                );
            }
            if unknown > 0 {
                more += &format!(
                    "Checkpoints that do not count: {unknown}. No key that this server knows has \
                     signed them; if you know the key, name it with --key, or for good with \
                     `doorcode audit trust`.\n"
                );
            }
            tell(&report, &more)
        }
        Audit::Remote(_) => Err("this command is for the client's side".into()),
        Audit::Erase { email } => {
            let erased = with_app(config, async |app| {
                let named = Named::Email(email.clone());
                erasure::erase(app, &Context::local(), named).await
            });
            let erased = erased.map_err(|error| format!("{email}: {error}"))?;
            print(&format!(
                "Records erased: {erased}. The log names them, and still proves itself."
            ))
        }
        Audit::Keys => {
            let keys = with_app(config, async |app| audit::keys(app).await)?;
            let lines: Vec<_> = keys.iter().map(ToString::to_string).collect();
            print(&lines.join("\n"))
        }
        Audit::Trust { key } => {
            with_app(config, async |app| {
                recovery::trust(app, &Context::local(), key.clone()).await
            })?;
            print("What this key has signed counts from now on. The log says so.")
        }
        Audit::Recover { revoke } => {
            let revoking = match revoke {
                Revoke::Since => Revoking::Since,
                Revoke::All => Revoking::All,
                Revoke::Nothing => Revoking::Nothing,
            };
            let recovered = with_app(config, async |app| {
                recovery::recover(app, &Context::local(), revoking).await
            })?;
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
            "--checkpoints needs the --key that signed them; `doorcode audit keys` prints it on \
             the server"
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

/// Says what came of a check.
fn tell(report: &Report, more: &str) -> Outcome {
    let Head { sequence, hash } = report.head;
    if let Some(Discrepancy {
        sequence: place,
        kind,
        says,
    }) = &report.first_discrepancy
    {
        let kind = kind.as_str();
        return Err(format!(
            "the audit log is not what was sealed and signed, at record {place}: {kind}.\n{says}\n\
             Everything before fits, up to record {sequence} with the hash {hash}."
        )
        .into());
    }
    let (records, checkpoints) = (HumanCount(report.records), HumanCount(report.checkpoints));
    print(&format!(
        "Everything fits.\nRecords: {records}.\nCheckpoints that agree: {checkpoints}.\n{more}\
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
        "{}\nThe log says so now, and goes on from there.",
        discrepancy.says
    );
    if let Some(path) = moved {
        text += &format!(
            "\nThe checkpoints of before are in {}: keep them.",
            path.display()
        );
    }
    text + &format!("\nTokens revoked: {revoked}.")
}
