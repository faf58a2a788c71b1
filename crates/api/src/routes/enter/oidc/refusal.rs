//! Why somebody does not come in by a provider, and what they can do about it.

use super::page::{self, Words};
use crate::accounts::{AccountsError, NoAccount};
use crate::{ApiError, routes::enter::refusal::Refusal as LinkRefusal};
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use pierhead_identity::{NameProblem, OidcError, TokenError};
use pierhead_model::Username;

/// The longest code of a provider that is repeated, in characters.
const LONGEST_CODE: usize = 60;

/// Why somebody does not come in.
#[derive(Debug)]
pub(super) enum Refusal {
    /// This server has no provider.
    NoProvider,
    /// This browser began no log-in.
    NotBegun,
    /// The answer is not that of the log-in that this browser began.
    Foreign,
    /// It took too long.
    Expired,
    /// The answer was used.
    Used,
    /// The provider does not take its own code.
    Code,
    /// The provider can't be asked.
    Away,
    /// The provider let nobody in, and says why by a code.
    Denied(String),
    /// What it says can't be believed.
    Unbelieved(TokenError),
    /// It does not tell what they are called here.
    NoName(NameProblem),
    /// There is no such account.
    Unknown(Username),
    /// The account is that of somebody else there.
    OtherPerson(Username),
    /// The account administers something.
    MayMore(Username),
    /// A deleted account of that name left something.
    LeftOver(Username),
    /// The account is suspended.
    Suspended,
    /// Anything else.
    Other(ApiError),
}

impl Refusal {
    /// Says to the log what the page does not.
    pub fn of(error: OidcError) -> Self {
        match error {
            OidcError::Away(why) => {
                tracing::warn!(why, "the provider of log-ins is away");
                Self::Away
            }
            OidcError::Code => Self::Code,
            OidcError::OtherProvider => Self::Unbelieved(TokenError::Issuer),
            OidcError::Token(error) => Self::Unbelieved(error),
        }
    }

    pub fn of_accounts(error: AccountsError) -> Self {
        match error {
            AccountsError::Suspended => Self::Suspended,
            other => Self::Other(other.into()),
        }
    }

    pub fn of_link(refusal: LinkRefusal) -> Self {
        match refusal {
            LinkRefusal::Suspended => Self::Suspended,
            refusal => Self::Other(refusal.into_error()),
        }
    }

    pub fn of_person(why: NoAccount) -> Self {
        match why {
            NoAccount::Name(problem) => Self::NoName(problem),
            NoAccount::Unknown(name) => Self::Unknown(name),
            NoAccount::Other(name) => Self::OtherPerson(name),
            NoAccount::MayMore(name) => Self::MayMore(name),
            NoAccount::LeftOver(name) => Self::LeftOver(name),
            NoAccount::Failed(error) => Self::of_accounts(error),
        }
    }

    pub fn denied(code: &str) -> Self {
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        Self::Denied(code.chars().filter(is_plain).take(LONGEST_CODE).collect())
    }

    /// The code for machines.
    pub fn code(&self) -> &str {
        match self {
            Self::NoProvider => "no_provider",
            Self::NotBegun => "not_begun",
            Self::Foreign => "foreign_answer",
            Self::Expired => "expired_log_in",
            Self::Used => "used_answer",
            Self::Code => "code_refused",
            Self::Away => "provider_away",
            Self::Denied(_) => "denied",
            Self::Unbelieved(_) => "not_believed",
            Self::NoName(_) => "no_name",
            Self::Unknown(_) => "unknown_person",
            Self::OtherPerson(_) => "other_person",
            Self::MayMore(_) => "password_only",
            Self::LeftOver(_) => "left_over",
            Self::Suspended => "suspended",
            Self::Other(error) => &error.body.code,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NoProvider | Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::NotBegun | Self::Foreign => StatusCode::BAD_REQUEST,
            Self::Expired | Self::Used | Self::Code => StatusCode::GONE,
            Self::Away => StatusCode::SERVICE_UNAVAILABLE,
            Self::Denied(_)
            | Self::Unbelieved(_)
            | Self::NoName(_)
            | Self::OtherPerson(_)
            | Self::MayMore(_)
            | Self::Suspended => StatusCode::FORBIDDEN,
            Self::LeftOver(_) => StatusCode::CONFLICT,
            Self::Other(error) => error.status,
        }
    }

    /// Whether another try may end otherwise.
    fn may_try_again(&self) -> bool {
        matches!(
            self,
            Self::NotBegun
                | Self::Foreign
                | Self::Expired
                | Self::Used
                | Self::Code
                | Self::Away
                | Self::Denied(_)
                | Self::Unbelieved(_)
        )
    }

    fn words(&self) -> Words {
        let (title, english, chinese) = match self {
            Self::NotBegun | Self::Foreign | Self::Expired | Self::Used | Self::Code => return self.words_of_answer(),
            Self::NoProvider => (
                ["Not set up", "未设置"],
                "This server has no provider of log-ins. Log in with your name and password.".to_owned(),
                "本服务器没有设置登录服务。请使用用户名和密码登录。".to_owned(),
            ),
            Self::Away => (
                ["The log-in service does not answer", "登录服务没有响应"],
                "Try again in a minute. If it stays so, tell whoever looks after this server: its log says why."
                    .to_owned(),
                "请一分钟后重试。若仍然如此，请告知本服务器的管理员：原因记录在日志中。".to_owned(),
            ),
            Self::Denied(code) => (
                ["You were not let in there", "登录服务拒绝了登录"],
                format!("The log-in service says: {code}. Begin again, or ask whoever looks after your account there."),
                format!("登录服务返回：{code}。请重新开始，或询问该服务的账户管理员。"),
            ),
            Self::Unbelieved(why) => (
                ["The log-in service can't be believed", "登录服务的答复无法采信"],
                format!(
                    "What it said about you was refused: {why}. Begin again. If it stays so, tell whoever looks after this \
                     server (clocks and keys of both must fit)."
                ),
                format!(
                    "它的答复被拒绝（{}）。请重新开始；若仍然如此，请告知本服务器的管理员（双方的时钟和密钥必须一致）。",
                    in_chinese(*why)
                ),
            ),
            Self::NoName(problem) => {
                let [english, chinese] = why_no_name(*problem);
                (
                    ["It is not known who you are here", "无法确定您在这里的账户"],
                    format!("{english} Ask whoever looks after this server, or log in with your name and password."),
                    format!("{chinese}请询问本服务器的管理员，或使用用户名和密码登录。"),
                )
            }
            Self::Unknown(name) => (
                ["You are not known here yet", "这里还没有您的账户"],
                format!("There is no account {name}. Ask your teacher, or whoever administers accounts, for one."),
                format!("没有名为 {name} 的账户。请联系您的老师或账户管理员。"),
            ),
            Self::OtherPerson(name) => (
                ["This account is somebody else's", "此账户属于他人"],
                format!(
                    "Somebody else of the log-in service has the account {name}. Ask whoever administers accounts."
                ),
                format!("账户 {name} 已属于登录服务中的另一个人。请询问账户管理员。"),
            ),
            Self::MayMore(name) => (
                ["Log in with your password", "请使用密码登录"],
                format!("The account {name} administers this server: the log-in service does not open it."),
                format!("账户 {name} 拥有管理权限，不能通过登录服务进入。"),
            ),
            Self::LeftOver(name) => (
                ["This name is not free", "此名称不可用"],
                format!("A former account {name} left things here. Ask whoever administers accounts to add yours."),
                format!("以前的账户 {name} 在这里留有内容。请让账户管理员为您添加账户。"),
            ),
            Self::Suspended => (
                ["Your account is suspended", "账户已停用"],
                "Ask your teacher, or whoever administers accounts. What you did is kept.".to_owned(),
                "请询问您的老师或账户管理员。您的作业都已保留。".to_owned(),
            ),
            Self::Other(error) => (
                ["This did not work", "出错了"],
                format!("{}. Go back and try again.", error.body.message),
                format!("{}。请返回重试。", error.body.message),
            ),
        };
        Words { title, text: [english, chinese] }
    }

    /// About answers that are not that of a log-in of this browser and now.
    fn words_of_answer(&self) -> Words {
        let (title, english, chinese) = match self {
            Self::NotBegun => (
                ["This log-in was not begun here", "登录不是从这里开始的"],
                "This browser began no log-in in the last ten minutes, or keeps no cookies.",
                "此浏览器在最近十分钟内没有开始登录，或者没有保存 Cookie。",
            ),
            Self::Expired => {
                (["This log-in took too long", "登录超时"], "It is good for ten minutes.", "登录必须在十分钟内完成。")
            }
            Self::Used => {
                (["This log-in was used", "此次登录已被使用"], "Each is good once.", "每次登录只能使用一次。")
            }
            Self::Code => (
                ["This log-in is worth nothing any more", "此次登录已失效"],
                "The log-in service does not take it: it was used, or took too long.",
                "登录服务不接受它：它已被使用或已超时。",
            ),
            _ => (
                ["This is not the log-in that was begun", "这不是刚才开始的登录"],
                "What came back belongs to another log-in, perhaps of another tab or of somebody else.",
                "返回的内容属于另一次登录，可能来自其他标签页或他人。",
            ),
        };
        Words { title, text: [format!("{english} Begin again."), format!("{chinese}请重新开始。")] }
    }

    /// A page for a browser, and for everything else what every refusal is.
    pub fn answer(self, headers: &HeaderMap) -> Response {
        let accepted = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        if accepted.contains("text/html") {
            let again = self.may_try_again().then_some("/auth/oidc/start");
            return page::refuse(self.status(), self.code(), &self.words(), again);
        }
        match self {
            Self::Other(error) => error.into_response(),
            refusal => {
                let message = refusal.words().text[0].clone();
                ApiError::new(refusal.status(), refusal.code(), message).into_response()
            }
        }
    }
}

fn why_no_name(problem: NameProblem) -> [&'static str; 2] {
    match problem {
        NameProblem::Missing => ["The log-in service does not tell your user name.", "登录服务没有提供您的用户名。"],
        NameProblem::Unverified => {
            ["The log-in service has not verified your mail address.", "登录服务尚未验证您的邮箱地址。"]
        }
        NameProblem::OtherDomain => {
            ["Your mail address there is not one of this school's.", "您在登录服务中的邮箱地址不属于本校。"]
        }
        NameProblem::NotAName => {
            ["Your name there is not one that an account can have.", "您在登录服务中的名称不能用作账户名。"]
        }
    }
}

fn in_chinese(error: TokenError) -> &'static str {
    match error {
        TokenError::Malformed => "不是签名的令牌",
        TokenError::Algorithm => "签名算法不被接受",
        TokenError::NoKey => "登录服务没有该签名密钥",
        TokenError::Signature => "签名错误",
        TokenError::Issuer => "来自其他登录服务",
        TokenError::Audience => "发给其他服务器",
        TokenError::Expired => "已过期",
        TokenError::Early => "时间在未来",
        TokenError::Nonce => "属于另一次登录",
        TokenError::Subject => "没有说明是谁",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_what_to_do_in_both_languages() {
        let li = || Username::parse("li").unwrap();
        let all = [
            Refusal::NoProvider,
            Refusal::NotBegun,
            Refusal::Foreign,
            Refusal::Expired,
            Refusal::Used,
            Refusal::Code,
            Refusal::Away,
            Refusal::denied("access_denied<script>"),
            Refusal::Unbelieved(TokenError::Nonce),
            Refusal::NoName(NameProblem::Unverified),
            Refusal::Unknown(li()),
            Refusal::OtherPerson(li()),
            Refusal::MayMore(li()),
            Refusal::LeftOver(li()),
            Refusal::Suspended,
            Refusal::Other(ApiError::field("to", "to must be a place")),
        ];
        let (mut codes, mut titles) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
        for refusal in all {
            let words = refusal.words();
            assert!(words.text.iter().chain(&words.title.map(str::to_owned)).all(|text| text.chars().count() > 2));
            assert!(words.text[1].chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{refusal:?}");
            assert!(refusal.status() != StatusCode::INTERNAL_SERVER_ERROR, "{refusal:?}");
            assert!(codes.insert(refusal.code().to_owned()) && titles.insert(words.title), "{refusal:?}");
            assert!(
                !refusal.may_try_again() || words.text[0].contains("egin again") || words.text[0].contains("Try again")
            );
        }
        assert!(Refusal::denied("access_denied<script>").words().text[0].contains("access_deniedscript"));
    }

    #[test]
    fn whatever_is_not_believed_has_words() {
        use TokenError::{Algorithm, Audience, Early, Expired, Issuer, Malformed, NoKey, Nonce, Signature, Subject};
        let all = [Malformed, Algorithm, NoKey, Signature, Issuer, Audience, Expired, Early, Nonce, Subject];
        let said: std::collections::BTreeSet<_> = all.into_iter().map(in_chinese).collect();
        assert_eq!(said.len(), all.len());
        use NameProblem::{Missing, NotAName, OtherDomain, Unverified};
        let why: std::collections::BTreeSet<_> = [Missing, Unverified, OtherDomain, NotAName].map(why_no_name).into();
        assert_eq!(why.len(), 4);
    }
}
