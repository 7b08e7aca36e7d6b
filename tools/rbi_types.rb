# frozen_string_literal: true

# The types of RBS in the words of Sorbet.
require "rbs"

# Texts of types.
class RbiTypes
  GENERIC = %w[Array Hash Enumerable Enumerator Range Set Class].freeze

  def initialize(declarations, names)
    @names = names
    @aliases = {}
    @modules = []
    declarations.each { |declaration| collect(declaration, []) }
  end

  # The complete name of a class that is used inside `path`.
  def name(type_name, path)
    own = type_name.to_s.delete_prefix("::")
    path.length.downto(0) do |length|
      complete = [*path.take(length), own].join("::")
      return "::#{complete}" if @modules.include?(complete)
    end
    "::#{own}"
  end

  # rubocop:disable Metrics/CyclomaticComplexity
  def text(type, path)
    case type
    when RBS::Types::Bases::Bool then "T::Boolean"
    when RBS::Types::Bases::Nil, RBS::Types::Bases::Void then "::NilClass"
    when RBS::Types::Bases::Self then "T.self_type"
    when RBS::Types::Bases::Instance then "T.attached_class"
    when RBS::Types::Bases::Bottom then "T.noreturn"
    when RBS::Types::Optional then optional(text(type.type, path))
    when RBS::Types::Union then union(type.types.map { |one| text(one, path) })
    when RBS::Types::Tuple then "[#{type.types.map { |one| text(one, path) }.join(', ')}]"
    when RBS::Types::Record then "T::Hash[::Symbol, T.untyped]"
    when RBS::Types::Literal then literal(type.literal)
    when RBS::Types::Variable then "T.type_parameter(:#{type.name})"
    when RBS::Types::ClassSingleton then class_of(shown(name(type.name, path)))
    when RBS::Types::ClassInstance then instance(type, path)
    when RBS::Types::Alias then aliased(type, path)
    when RBS::Types::Proc then proc(type.type, path)
    else "T.untyped" # an interface, or what Sorbet has no word for
    end
  end
  # rubocop:enable Metrics/CyclomaticComplexity

  # `T.proc` of a block or a Proc.
  def proc(function, path)
    types = function.required_positionals + function.optional_positionals
    pairs = types.each_with_index.map { |param, at| "#{param.name || "arg#{at}"}: #{text(param.type, path)}" }
    params = pairs.empty? ? "" : ".params(#{pairs.join(', ')})"
    "T.proc#{params}#{result(function.return_type, path)}"
  end

  def result(type, path)
    type.is_a?(RBS::Types::Bases::Void) ? ".void" : ".returns(#{text(type, path)})"
  end

  def optional(text)
    %w[T.untyped ::NilClass].include?(text) || text.start_with?("T.nilable(") ? text : "T.nilable(#{text})"
  end

  def union(texts)
    return "T.untyped" if texts.include?("T.untyped")

    kinds = texts.flat_map { |text| flat(text) }.uniq
    kinds = kinds - %w[::TrueClass ::FalseClass] + ["T::Boolean"] if (%w[::TrueClass ::FalseClass] - kinds).empty?
    others = kinds - ["::NilClass"]
    return "::NilClass" if others.empty?

    one = others.length > 1 ? "T.any(#{others.join(', ')})" : others.first
    kinds == others ? one : optional(one)
  end

  private

  def class_of(name)
    name == "T.untyped" ? name : "T.class_of(#{name})"
  end

  # The members of a union inside a union.
  def flat(text)
    inner = text[/\AT\.nilable\((.*)\)\z/, 1]
    return [*flat(inner), "::NilClass"] if inner

    inner = text[/\AT\.any\(([^()\[\]]*)\)\z/, 1]
    inner ? inner.split(", ") : [text]
  end

  def collect(declaration, path)
    case declaration
    when RBS::AST::Declarations::Alias
      @aliases[[*path, declaration.name.name].join("::")] = [declaration.type, path]
    when RBS::AST::Declarations::Class, RBS::AST::Declarations::Module
      inner = [*path, declaration.name.to_s.delete_prefix("::")]
      @modules << inner.join("::")
      declaration.members.each { |member| collect(member, inner) }
    end
  end

  def aliased(type, path)
    own = type.name.to_s.delete_prefix("::")
    path.length.downto(0) do |length|
      found, place = @aliases[[*path.take(length), own].join("::")]
      return text(found, place) if found
    end
    "T.untyped"
  end

  def instance(type, path)
    own = type.name.to_s.delete_prefix("::")
    return shown(name(type.name, path)) unless GENERIC.include?(own)
    return "T::Class[T.anything]" if own == "Class"

    args = type.args.map { |one| text(one, path) }
    args = args.take(1) if own.start_with?("Enumer")
    args.empty? ? name(type.name, path) : "T::#{own}[#{args.join(', ')}]"
  end

  # A private class has no type outside.
  def shown(name)
    name.start_with?("::Privy::") && !@names.constant?(name.delete_prefix("::")) ? "T.untyped" : name
  end

  def literal(value)
    "::#{value.class}"
  end
end

# One method: its overloads as one signature, because Sorbet accepts no overloads with keywords.
class RbiMethod
  def initialize(overloads, name, types, path)
    @overloads = overloads
    @name = name
    @types = types
    @path = path
    @widest = overloads.max_by { |overload| all(overload.type).length }
    @least = overloads.map { |overload| overload.type.required_positionals.length }.min
    @block = overloads.filter_map(&:block).first
  end

  # The parameter list of `def`.
  def parameters
    shown = list.map { |kind, name, _| format(FORMS.fetch(kind), name) }
    shown.empty? ? "" : "(#{shown.join(', ')})"
  end

  # The lines of `sig`.
  def signature
    generic = @overloads.flat_map { |overload| overload.type_params.map(&:name) }.uniq
    head = generic.empty? ? "" : "type_parameters(#{generic.map { |name| ":#{name}" }.join(', ')})."
    pairs = list.map { |_, name, type| "#{name}: #{type}" }
    one = "sig { #{head}#{"params(#{pairs.join(', ')})." unless pairs.empty?}#{result} }"
    return [one] if one.length <= 110

    ["sig do", "  #{head}params(", *pairs[0...-1].map { |pair| "    #{pair}," }, "    #{pairs.last}",
     "  ).#{result}", "end"]
  end

  private

  FORMS = { req: "%s", opt: "%s = T.unsafe(nil)", rest: "*%s", keyreq: "%s:", key: "%s: T.unsafe(nil)",
            keyrest: "**%s", block: "&%s" }.freeze
  private_constant :FORMS

  def all(function)
    [*function.required_positionals, *function.optional_positionals, *function.trailing_positionals,
     *function.required_keywords, *function.optional_keywords]
  end

  # [kind, name, type] of each parameter.
  def list
    @list ||= positionals + keywords + block
  end

  def text(type)
    @types.text(type, @path)
  end

  def positionals
    function = @widest.type
    named = function.required_positionals + function.optional_positionals
    given = named.each_with_index.map do |param, at|
      [at < @least ? :req : :opt, param.name || (@name.end_with?("=") ? "value" : "arg#{at}"), text(param.type)]
    end
    rest = function.rest_positionals
    given << [:rest, rest.name || "args", text(rest.type)] if rest
    given + function.trailing_positionals.map { |param| [:req, param.name, text(param.type)] }
  end

  def keywords
    function = @widest.type
    given = function.required_keywords.map { |name, param| [:keyreq, name, text(param.type)] }
    given += function.optional_keywords.map { |name, param| [:key, name, text(param.type)] }
    rest = function.rest_keywords
    rest ? [*given, [:keyrest, rest.name || "options", text(rest.type)]] : given
  end

  def block
    return [] unless @block

    needed = @overloads.all? { |overload| overload.block&.required }
    type = @types.proc(@block.type, @path)
    [[:block, "block", needed ? type : "T.nilable(#{type})"]]
  end

  def result
    return "void" if @name == :initialize

    results = @overloads.map { |overload| overload.type.return_type }.uniq
    return "void" if results.all?(RBS::Types::Bases::Void)

    "returns(#{results.any?(RBS::Types::Bases::Void) ? 'T.untyped' : @types.union(results.map { |type| text(type) })})"
  end
end
