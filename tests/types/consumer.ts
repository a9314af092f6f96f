// A website in TypeScript: what compiles here is what wx-auth.d.ts promises. `@ts-expect-error` lines must not.
import { WxApiLogin, type WxApiAnswer, type WxApiError, type WxApiSession } from "wxapi-login";

const wx = new WxApiLogin("https://login.example.com", { clientId: "blog", mode: "auto", blocked: "dialog", timeout: 1_000 });
new WxApiLogin(new URL("https://login.example.com"), "LocalUid");
// @ts-expect-error there is no such mode
new WxApiLogin("https://login.example.com", { mode: "iframe" });
// @ts-expect-error the host is needed
new WxApiLogin();

export async function logIn(): Promise<string> {
  const session: WxApiSession = await wx.login({ signal: AbortSignal.timeout(1_000) });
  const name: string | undefined = session.profile.name;
  const known: string | null = wx.uid;
  // @ts-expect-error nobody writes it
  wx.uid = "somebody";
  const back: WxApiSession | null = await wx.handleRedirect();
  return [name, known, back?.token, String(WxApiLogin.callback())].join();
}

wx.login((answer: WxApiAnswer) => {
  if (answer.code === 200) answer.data.slice(0, 4);
  else if (answer.error === "popup_blocked") console.log(answer.data);
});

wx.addEventListener("login", ({ detail }) => detail.uid.length);
wx.addEventListener("error", ({ detail }: CustomEvent<WxApiError>) => detail.code === "timeout");
wx.addEventListener("status", ({ detail }) => detail.status.length, { once: true });
// @ts-expect-error a session has no name of its own
wx.addEventListener("login", ({ detail }) => detail.name);

const button = document.createElement("wechat-login-button");
button.addEventListener("wechat-login", ({ detail }) => detail.token.length);
document.addEventListener("wechat-error", (event) => console.log(event));
document.querySelector("wechat-login-button")?.setAttribute("host", "https://login.example.com");
