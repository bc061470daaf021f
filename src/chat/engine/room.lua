-- In front of every script. All keys have the room's name in braces, so all are in one slot of a cluster.
local log, names, alive, gone, state, users_of = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local server = ARGV[1]

-- Fails while something else stands in the stream's place, before anything is changed.
redis.call('XRANGE', log, '-', '-')

local function number(field)
    return tonumber(redis.call('HGET', state, field) or '0') or 0
end

local function now()
    local t = redis.call('TIME')
    return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- One record for everyone. `g` numbers the messages, so that a reader notices when some are missing.
local function append(from, n, kept, count, lines)
    local g = redis.call('HINCRBY', state, '#', count) - count
    redis.call('XADD', log, 'MAXLEN', '~', kept, '*', 's', from, 'n', n, 'g', g, 'l', lines)
end

-- Why the engine takes nothing new now, if so: it has lost even that it was greeted, or waits for records
-- that it has lost. That takes seconds: an end that is further away comes from a clock that was set back.
local function closed()
    if not redis.call('HGET', state, 'run') then return 'lost' end
    local ends = redis.call('HGET', state, 'until')
    local left = ends and tonumber(ends) - now()
    if left and left > 0 and left < 60000 then return 'wait' end
    if ends then redis.call('HDEL', state, 'until') end
end

-- A user is kept as `order|addr|key|name`. The key is the name as names are compared, empty for a user
-- who goes by the address. None of them has a |.
local function parts(user)
    local order, addr, key, name = string.match(user or '', '^(%d+)|([^|]*)|([^|]*)|(.*)$')
    return order, addr or '', key or '', name or ''
end

-- The owner of a name, as `server/id`; nobody, if that server is not known any more.
local function owner(key)
    local whose = redis.call('HGET', names, key)
    local of = string.match(whose or '', '^(.*)/')
    if of and (redis.call('ZSCORE', alive, of) or redis.call('ZSCORE', gone, of)) then return whose end
end

local function free(key, whose)
    if key ~= '' and redis.call('HGET', names, key) == whose then redis.call('HDEL', names, key) end
end

-- Adds a user `addr|key|name`, or corrects one. A name that another user has is not given.
local function enter(id, user)
    local addr, key, name = string.match(user, '^([^|]*)|([^|]*)|(.*)$')
    local me = server .. '/' .. id
    local old = redis.call('HGET', users_of .. server, id)
    local order, _, old_key = parts(old)
    if old_key ~= key then free(old_key, me) end
    local whose = key ~= '' and owner(key)
    if whose and whose ~= me then key, name = '', addr end
    if key ~= '' then redis.call('HSET', names, key, me) end
    order = order or redis.call('HINCRBY', state, '+', 1)
    redis.call('HSET', users_of .. server, id, order .. '|' .. addr .. '|' .. key .. '|' .. name)
    return name, not old
end

-- Removes a user, and returns the line that says so.
local function leave(of, id)
    local user = redis.call('HGET', users_of .. of, id)
    local _, addr, key, name = parts(user)
    redis.call('HDEL', users_of .. of, id)
    free(key, of .. '/' .. id)
    return '-[' .. addr .. ']' .. name .. ': logout\r\n'
end

