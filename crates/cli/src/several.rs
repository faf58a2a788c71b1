//! Commands that name several things: each is done, and what fails is said of each.

use crate::dispatch::tell;
use crate::{CliError, Output};
use pierhead_client::ClientError;

/// Does `act` to each. One that fails does not stop the others, unless its reason would stop them all.
pub(crate) async fn each(
    names: &[String],
    out: &mut Output,
    mut act: impl AsyncFnMut(&str, &mut Output) -> Result<(), CliError>,
) -> Result<(), CliError> {
    if let [only] = names {
        return act(only, out).await;
    }
    let (mut failed, mut first_code) = (0, 0);
    for name in names {
        out.wait();
        let Err(error) = act(name, out).await else { continue };
        if concerns_all(&error) {
            return Err(error);
        }
        tell(&error, Some(name), out);
        failed += 1;
        if failed == 1 {
            first_code = error.exit_code();
        }
    }
    if failed == 0 { Ok(()) } else { Err(CliError::Several { failed, of: names.len(), exit_code: first_code }) }
}

fn concerns_all(error: &CliError) -> bool {
    match error {
        CliError::Request(ClientError::Refused { status, .. }) => *status == 401,
        CliError::Request(ClientError::Unreachable { .. })
        | CliError::Follow { .. }
        | CliError::Interrupted { .. }
        | CliError::Write(_) => true,
        _ => false,
    }
}
