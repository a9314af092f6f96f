// A model in the same workerd: it answers at once, or after DELAY milliseconds, and repeats the question.
export default {
  async fetch(request, env) {
    const { messages } = await request.json();
    if (env.DELAY) await scheduler.wait(Number(env.DELAY));
    const delta = { content: `You said: ${messages.at(-1).content}` };
    const events = `data: ${JSON.stringify({ choices: [{ delta }] })}\n\ndata: [DONE]\n\n`;
    return new Response(events, { headers: { "content-type": "text/event-stream" } });
  },
};
