//! What WeChat's refusals mean to whoever runs the account, and what to do.

/// Refusals that only a person can end.
/// <https://developers.weixin.qq.com/doc/oplatform/developers/errCode/>
const ADVICE: [(i64, &str); 17] = [
    (
        40001,
        "WeChat does not accept the credential: APP_SECRET is not that of APP_ID, or the token is another account's. \
         Copy both from the console and set them again.",
    ),
    (
        40013,
        "WeChat does not know APP_ID. Copy it from the console: it begins with wx and has 18 characters.",
    ),
    (
        40125,
        "APP_SECRET is wrong, probably because it was reset. Copy or reset it in the console, and set it again with \
         `wrangler secret put APP_SECRET`.",
    ),
    (
        40164,
        "The address from which this Worker called is not in the account's IP whitelist. Three ways out: add this \
         address, or all ranges of https://www.cloudflare.com/ips/, to the whitelist in the console; send the calls \
         through a relay with a fixed address and set WECHAT_API_BASE to it; or use a relay in WeChat's cloud hosting, \
         or dedicated egress addresses of Cloudflare's.",
    ),
    (40243, "APP_SECRET is frozen. An administrator has to unfreeze it in the console."),
    (
        45009,
        "The day's quota of this call is used up. Wait until midnight in Beijing, or clear the quota in the console.",
    ),
    (45011, "Too many calls in this minute. Wait for the next one."),
    (
        48001,
        "The account has no right to this call. See in the console under which condition it is given: most need a verified account.",
    ),
    (48004, "WeChat has banned this call for the account. The console's notices say why."),
    (
        50002,
        "WeChat has restricted the account or this user after a violation. The console's notices say why.",
    ),
    (50004, "WeChat does not allow this to accounts of this type or state. Look for notices in the console."),
    (50007, "The account is frozen. Look for notices in the console and follow them."),
    (
        61004,
        "The address from which this Worker called is not registered. Add it to the platform's IP whitelist in the console.",
    ),
    (89501, "Another address is waiting for an administrator's yes. Answer that request in WeChat first."),
    (
        89503,
        "An administrator has to allow this address: WeChat has asked them. Confirm in WeChat, then call again; asking \
         more often does not help.",
    ),
    (
        89506,
        "An administrator has refused this address twice, so WeChat refuses it for 24 hours. Add it to the IP whitelist, or wait.",
    ),
    (
        89507,
        "An administrator has refused this address, so WeChat refuses it for an hour. Add it to the IP whitelist, or wait.",
    ),
];

/// What a code of WeChat's means to the operator and what to do about it; `None` if there is nothing to say.
pub fn advice(errcode: i64) -> Option<&'static str> {
    ADVICE.iter().find(|(code, _)| *code == errcode).map(|(_, text)| *text)
}
