-- Brings a server with all its users, or lists them anew, some at a time. The last call of a join has a base.
-- ARGV: server, lease in ms, kept, number of the join, last claim that the names contain, the batch that the
-- engine had when the join began, base, then (id, user)... A user without text is not there any more.
local lease, kept, join, claim = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local last, base = tonumber(ARGV[6]), tonumber(ARGV[7])
local why = closed()
if why then return {why} end
-- A copy of an earlier call, or a claim whose answer is on its way, or another history.
if join < number(server .. '/j') or claim < number(server .. '/c') or last ~= number(server) then
    return {'again'}
end
redis.call('HSET', state, server .. '/j', join, server .. '/c', claim)
redis.call('ZADD', alive, now() + lease, server)
local answer, text = {'ok'}, {}
local was_dead = redis.call('ZSCORE', gone, server)
for i = 8, #ARGV, 2 do
    local id, user = ARGV[i], ARGV[i + 1]
    if user == '' then
        leave(server, id)
    else
        local addr, key = string.match(user, '^([^|]*)|([^|]*)|')
        local name, new = enter(id, user)
        -- The others have seen the user leave.
        if new and was_dead then text[#text + 1] = '+[' .. addr .. ']' .. name .. ': login!!!\r\n' end
        if key ~= '' and name == addr then answer[#answer + 1] = id end
    end
end
if #text > 0 then append('', 0, kept, #text, table.concat(text)) end
if base then
    redis.call('HSET', state, server, base, server .. '/j', join + 1)
    redis.call('ZREM', gone, server)
end
return answer
