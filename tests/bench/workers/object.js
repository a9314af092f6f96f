// The yardstick for chats: hello, and one call to an object per user.
export class HelloObject {
  async fetch() {
    return new Response("hello");
  }
}

export default {
  async fetch(request, env) {
    const name = new URL(request.url).searchParams.get("openid") ?? "nobody";
    const response = await env.HELLO.getByName(name).fetch("https://object/", { method: "POST", body: await request.text() });
    return new Response(await response.text());
  },
};
