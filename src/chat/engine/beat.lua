-- Renews the lease of one server, and removes the users of servers whose lease has ended.
-- ARGV: server, lease in ms, kept, last batch and last claim that the engine must know of, most users to take
-- off, 1 for a goodbye.
-- Gives 'ok' or 'gap', users in the room, and whether there are more to take off.
local lease, kept, most = tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[6])
local knows = tonumber(ARGV[4]) <= number(server) and tonumber(ARGV[5]) <= number(server .. '/c')
local goodbye = ARGV[7] == '1'
local at = now()
local why = closed()
if why == 'lost' then return {why, 0, 0} end
if not goodbye and not (knows and redis.call('ZSCORE', alive, server)) then return {'gap', 0, 0} end

-- If no server at all has come for half a lease, the engine was away, or its clock was set: nobody is dead.
local quiet = at - number('@')
redis.call('HSET', state, '@', at)
if quiet > lease / 2 or quiet < 0 then
    for _, of in ipairs(redis.call('ZRANGE', alive, 0, -1)) do redis.call('ZADD', alive, at + lease, of) end
end
if not goodbye then redis.call('ZADD', alive, at + lease, server)
elseif redis.call('ZREM', alive, server) == 1 then redis.call('ZADD', gone, 'inf', server) end
-- What comes back must not find other records in its place.
if why then return {'ok', number('='), 0} end
for _, of in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', at)) do
    redis.call('ZREM', alive, of)
    redis.call('ZADD', gone, 'inf', of)
end

-- `gone` has a server at infinity while it has users to take off, and from then on at that time.
local text = {}
for _, of in ipairs(redis.call('ZRANGEBYSCORE', gone, 'inf', 'inf')) do
    if #text < most and not redis.call('ZSCORE', alive, of) then
        for _, id in ipairs(redis.call('HRANDFIELD', users_of .. of, most - #text)) do
            text[#text + 1] = leave(of, id)
        end
        if #text < most then redis.call('ZADD', gone, at, of) end
    end
end
if #text > 0 then append('', 0, kept, #text, table.concat(text)) end

-- Numbers of a server that died an hour ago are of no more use.
for _, of in ipairs(redis.call('ZRANGEBYSCORE', gone, '-inf', at - 3600000, 'LIMIT', 0, 10)) do
    redis.call('HDEL', state, of, of .. '/c', of .. '/j', of .. '/r')
    redis.call('ZREM', gone, of)
end

-- Users of all servers, counted once a second.
if math.abs(at - number('u')) >= 1000 then
    local count = 0
    for _, of in ipairs(redis.call('ZRANGE', alive, 0, -1)) do
        count = count + redis.call('HLEN', users_of .. of)
    end
    redis.call('HSET', state, 'u', at, '=', count)
end
return {'ok', number('='), #text < most and 0 or 1}
