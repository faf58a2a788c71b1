//! Messages to many people: send, list, read.

use super::wall::scope;
use crate::body::Body;
use crate::identity::{Caller, idempotency};
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use pierhead_wire::{MessageRequest, MessagesReadRequest, MessagesView};

pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Json<MessagesView> {
    let actor = caller.actor();
    let messages = api.controller.messages_of(&actor);
    Json(MessagesView { messages: messages.iter().map(|message| views::message(&actor.username, message)).collect() })
}

pub(super) async fn send(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    body: Body<MessageRequest>,
) -> Result<(StatusCode, Json<MessagesView>), ApiError> {
    let text = body.value.text()?;
    let terminal = body.value.terminal.as_deref();
    let scope = scope(body.value.names())?;
    let key = idempotency(&headers, &[b"send-message", &body.bytes])?;
    let actor = caller.actor();
    let sent = api.controller.send_message(&actor, &scope, (text, terminal), key.as_ref()).await?;
    // What was sent before by the same request is among what the sender has sent.
    let messages = sent.iter().map(|message| views::message(&actor.username, message)).collect();
    Ok((StatusCode::CREATED, Json(MessagesView { messages })))
}

pub(super) async fn read(
    State(api): State<Api>,
    caller: Caller,
    body: Body<MessagesReadRequest>,
) -> Result<StatusCode, ApiError> {
    for id in body.value.ids()? {
        api.controller.read_message(&caller.actor(), id).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
