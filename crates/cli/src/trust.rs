//! Whether a controller's certificate is believed: settled at log-in, before anything is said to the controller.

use crate::login::LoginArgs;
use crate::{CliError, Connection, Output};
use pierhead_client::{Addresses, Authority, ClientError, Fingerprint};
use std::path::Path;

/// The authority that counts for these controllers from now on; none for those that the system trusts, and where
/// there is no TLS.
pub(crate) async fn settle(
    addresses: &Addresses,
    args: &LoginArgs,
    connection: &Connection,
    out: &mut Output,
) -> Result<Option<Authority>, CliError> {
    let expected = args.ca_fingerprint.as_deref().map(fingerprint).transpose()?;
    if addresses.https().next().is_none() {
        return match expected {
            None => Ok(None),
            Some(_) => Err(CliError::usage("--ca-fingerprint is for https", "write https:// before the address")),
        };
    }
    let authority = match (connection.given_authority()?, expected) {
        (Some(given), _) => Some(given),
        (None, Some(expected)) => Some(shown_as(addresses, expected).await?),
        (None, None) => {
            let known = connection.saved_authority(addresses);
            match addresses.verify(known.as_ref()).await {
                Err(ClientError::Untrusted { is_unknown: true, .. }) => {
                    Some(asked(addresses, known.as_ref(), out).await?)
                }
                verified => return Ok(verified.map(|()| known)?),
            }
        }
    };
    addresses.verify(authority.as_ref()).await?;
    Ok(authority)
}

fn fingerprint(text: &str) -> Result<Fingerprint, CliError> {
    let hint = "the controller's log tells it, and the file ca-fingerprint in its data directory";
    text.parse().map_err(|why: String| CliError::usage(format!("--ca-fingerprint: {why}"), hint))
}

/// Reads a file of authorities.
pub(crate) fn read(path: &Path) -> Result<Authority, CliError> {
    let refuse = |source| CliError::ReadFile { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(refuse)?;
    Authority::from_pem(&text).map_err(|error| refuse(std::io::Error::other(error)))
}

/// The shown certificate with this fingerprint.
async fn shown_as(addresses: &Addresses, expected: Fingerprint) -> Result<Authority, CliError> {
    let shown = addresses.shown().await?;
    let found = shown.iter().find(|certificate| certificate.fingerprint() == expected);
    found.cloned().ok_or_else(|| CliError::Fingerprint {
        expected: expected.to_string(),
        found: shown.last().map(|last| last.fingerprint().to_string()).unwrap_or_default(),
    })
}

/// Somebody at a terminal compares the fingerprint.
async fn asked(addresses: &Addresses, known: Option<&Authority>, out: &mut Output) -> Result<Authority, CliError> {
    let shown = addresses.shown().await?;
    let Some(last) = shown.last() else {
        return Err(CliError::usage("the controller shows no certificate", "name its authority with --ca-file"));
    };
    let fingerprint = last.fingerprint();
    if !out.terminals().stdin {
        return Err(CliError::Unknown { fingerprint: fingerprint.to_string() });
    }
    if let Some(known) = known {
        out.note(
            "The controller's authority is ANOTHER than at the last log-in. If nobody renewed it, this is not your",
        );
        out.note(&format!("controller. Then it was: SHA-256 {}", known.fingerprint()));
    } else {
        out.note("The controller's certificate is of an authority that is not known here:");
    }
    out.note(&format!("    SHA-256 {fingerprint}"));
    out.note("The controller's log and the file ca-fingerprint in its data directory tell the right one.");
    match out.ask("Is it the same, and do you trust it? [y/N]")?.as_deref().map(str::trim) {
        Some("y" | "Y" | "yes" | "Yes" | "YES") => Ok(last.clone()),
        _ => Err(CliError::Declined),
    }
}
