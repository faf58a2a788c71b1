//! The wall, raised hands and messages to many.

use crate::change::json;
use crate::socket::Socket;
use crate::transport::Call;
use crate::{Answer, Change, Client, ClientError, SocketEnd};
use hyper::Method;
use pierhead_terminal::{Frame, WALL_SUBPROTOCOL};
use pierhead_wire::{
    HandRequest, HandView, HandsView, MessageRequest, MessagesReadRequest, MessagesView, WallAsked, WallChangeRequest,
    WallChangeView, WallSaid, WallView,
};

/// Whom a wall is about: all that one may watch, or fewer.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallOf<'a> {
    /// Only workspaces of this environment.
    pub environment: Option<&'a str>,
    /// Only those in which students of this course work at its labs.
    pub course: Option<&'a str>,
    /// Only those that are for this lab.
    pub lab: Option<&'a str>,
}

impl WallOf<'_> {
    fn call(&self, path: &[&str]) -> Call {
        let call = Call::get(path).query_if("environment", self.environment);
        call.query_if("course", self.course).query_if("lab", self.lab)
    }
}

/// The socket of a wall. Dropping it is leaving.
#[derive(Debug)]
pub struct WallSocket(Socket);

impl WallSocket {
    /// Shows these terminals from now on, and no others.
    ///
    /// # Errors
    /// [`SocketEnd`] if the connection is lost.
    pub async fn show(&mut self, terminals: Vec<String>) -> Result<(), SocketEnd> {
        let asked = serde_json::to_string(&WallAsked::Show { terminals });
        self.0.send(Frame::Text(asked.map_err(|error| SocketEnd::Broken(error.to_string()))?)).await
    }

    /// What is new. May be dropped without losing any.
    ///
    /// # Errors
    /// [`SocketEnd`]: from then on there is nothing.
    pub async fn next(&mut self) -> Result<WallSaid, SocketEnd> {
        let nonsense = || SocketEnd::Broken("the server says what is not understood".to_owned());
        match self.0.next().await? {
            Frame::Text(text) => serde_json::from_str(&text).map_err(|_| nonsense()),
            Frame::Binary(_) => Err(nonsense()),
        }
    }
}

impl Client {
    /// Everybody whose work one may watch, who seems stuck first.
    ///
    /// # Errors
    /// [`ClientError`] if it cannot be had.
    pub async fn wall(&self, of: &WallOf<'_>) -> Result<Answer<WallView>, ClientError> {
        self.send(&of.call(&["api", "wall"])).await?.read()
    }

    /// The socket of the wall.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 429 if one looks at as many as one can.
    pub async fn wall_socket(&self, of: &WallOf<'_>) -> Result<WallSocket, ClientError> {
        let call = of.call(&["api", "wall", "socket"]);
        Ok(WallSocket(Socket::open(self, &call, WALL_SUBPROTOCOL).await?))
    }

    /// The same for the workspaces of many.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if nobody is meant.
    pub async fn change_wall(
        &self,
        request: &WallChangeRequest,
        change: &Change,
    ) -> Result<Answer<WallChangeView>, ClientError> {
        let call = Call::post(&["api", "wall", "change"]).body(json(request)?);
        self.send(&call.keyed(change.key.clone())).await?.read()
    }

    /// The queue of raised hands.
    ///
    /// # Errors
    /// [`ClientError`] if it cannot be had.
    pub async fn hands(&self) -> Result<Answer<HandsView>, ClientError> {
        self.send(&Call::get(&["api", "hands"])).await?.read()
    }

    /// Raises the hand in a workspace.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, 403 for who may only look.
    pub async fn raise_hand(&self, workspace: &str, question: Option<&str>) -> Result<Answer<HandView>, ClientError> {
        let body = json(&HandRequest { question: question.map(str::to_owned) })?;
        let call = Call::new(Method::PUT, &["api", "workspaces", workspace, "hand"]).body(body);
        self.send(&call).await?.read()
    }

    /// Lowers the hand in a workspace.
    ///
    /// # Errors
    /// As [`Client::raise_hand`].
    pub async fn lower_hand(&self, workspace: &str) -> Result<(), ClientError> {
        self.send(&Call::delete(&["api", "workspaces", workspace, "hand"])).await.map(drop)
    }

    /// The messages that one has not read, and those that one has sent.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn messages(&self) -> Result<Answer<MessagesView>, ClientError> {
        self.send(&Call::get(&["api", "messages"])).await?.read()
    }

    /// Tells many people something.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if nobody is meant.
    pub async fn send_message(
        &self,
        request: &MessageRequest,
        change: &Change,
    ) -> Result<Answer<MessagesView>, ClientError> {
        let call = Call::post(&["api", "messages"]).body(json(request)?);
        self.send(&call.keyed(change.key.clone())).await?.read()
    }

    /// Notes that one has read messages.
    ///
    /// # Errors
    /// [`ClientError`] if it cannot be noted.
    pub async fn read_messages(&self, ids: Vec<String>) -> Result<(), ClientError> {
        let body = json(&MessagesReadRequest { messages: ids })?;
        self.send(&Call::post(&["api", "messages", "read"]).body(body)).await.map(drop)
    }
}
