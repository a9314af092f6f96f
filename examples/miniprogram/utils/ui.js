const { t } = require('./strings.js')

const toast = title => wx.showToast({ title, icon: 'none' })

/** Asks before something is done that cannot be undone; resolves with the answer. */
function confirm(title, content, yes) {
  return new Promise(resolve => {
    wx.showModal({
      title,
      content: content || '',
      confirmText: yes || t.remove,
      confirmColor: '#d93026',
      cancelText: t.cancel,
      success: ({ confirm }) => resolve(confirm),
      fail: () => resolve(false),
    })
  })
}

/** A refusal of the Worker in words for people. */
function explain({ status }) {
  if (status === 0) return t.disconnected
  if (status === 401 || status === 403) return t.refused
  return status === 429 ? t.tooFast : t.failed
}

/** Which conversation the chat shows: also after the app was closed, and for the pages that can delete it. */
const current = {
  get: () => wx.getStorageSync('chat.conversation') || '',
  set: id => wx.setStorageSync('chat.conversation', id),
  clear: () => wx.removeStorageSync('chat.conversation'),
}

/** A question `{text, id, conversation}` that has not arrived, or got no answer. It outlives the app. */
const unsent = {
  get: () => wx.getStorageSync('chat.unsent') || null,
  set: question => wx.setStorageSync('chat.unsent', question),
  clear: () => wx.removeStorageSync('chat.unsent'),
}

module.exports = { toast, confirm, explain, current, unsent }
