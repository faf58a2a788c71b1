//! Who is logged in, tickets for streams, and the pool's own authority.

use crate::change::json;
use crate::transport::Call;
use crate::{Answer, Authority, Client, ClientError};
use pierhead_wire::{SessionView, TicketRequest, TicketView};

impl Client {
    /// Who is logged in with this client's token, and what they may do.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 401 if nobody is.
    pub async fn who_am_i(&self) -> Result<Answer<SessionView>, ClientError> {
        self.send(&Call::get(&["auth", "session"])).await?.read()
    }

    /// A ticket that opens the stream of a path once, for somebody who cannot send headers.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 400 if there is no stream at that path, 429 if too many are unused.
    pub async fn ticket(&self, resource: &str) -> Result<Answer<TicketView>, ClientError> {
        let body = TicketRequest { resource: resource.to_owned() };
        self.change_at_once(Call::post(&["api", "tickets"]).body(json(&body)?)).await?.read()
    }

    /// The certificate of the pool's own authority. It proves nothing unless the connection does.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none.
    pub async fn authority(&self) -> Result<Authority, ClientError> {
        let reply = self.send(&Call::get(&["api", "ca"])).await?;
        Authority::from_pem(&reply.text())
    }
}
