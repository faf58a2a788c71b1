//! Raised hands: the queue, and raising and lowering one.

use crate::body::{Body, Path};
use crate::identity::Caller;
use crate::{Api, ApiError, views};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use pierhead_wire::{HandRequest, HandView, HandsView};

pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Json<HandsView> {
    let hands = api.controller.hands_of(&caller.actor());
    Json(HandsView { hands: hands.iter().map(views::hand).collect() })
}

pub(super) async fn raise(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path,
    body: Body<HandRequest>,
) -> Result<Json<HandView>, ApiError> {
    let question = body.value.question()?;
    let hand = api.controller.raise_hand(&caller.actor(), &id, question).await?;
    Ok(Json(views::hand(&hand)))
}

pub(super) async fn lower(State(api): State<Api>, caller: Caller, Path(id): Path) -> Result<StatusCode, ApiError> {
    api.controller.lower_hand(&caller.actor(), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
