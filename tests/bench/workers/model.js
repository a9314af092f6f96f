// A model in the same workerd: it answers at once, or after DELAY milliseconds, and repeats the question; with PAUSE it
// stops that long after the first words. It is also the WeChat that says whose login code it is.
const event = (content) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;

async function slowly(writable, words, pause) {
  const writer = writable.getWriter();
  const write = (text) => writer.write(new TextEncoder().encode(text));
  await write(event(words));
  await scheduler.wait(pause);
  await write(event(" That is all.") + "data: [DONE]\n\n");
  await writer.close();
}

export default {
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/sns/jscode2session") return Response.json({ openid: searchParams.get("js_code"), session_key: "c2Vzc2lvbg==" });
    if (request.method === "GET") return new Response("a model");
    const { messages } = await request.json();
    if (env.DELAY) await scheduler.wait(Number(env.DELAY));
    const words = `You said: ${messages.at(-1).content}`;
    const headers = { "content-type": "text/event-stream" };
    if (!env.PAUSE) return new Response(event(words) + "data: [DONE]\n\n", { headers });
    const { readable, writable } = new IdentityTransformStream();
    context.waitUntil(slowly(writable, words, Number(env.PAUSE)));
    return new Response(readable, { headers });
  },
};
